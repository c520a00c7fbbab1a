package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const officeYAML = `
vpcs:
  - id: vpc-1
    subnets: {subnet-a: [10.1.0.0/24]}
    endpoints:
      - id: vpce-1
        api-addr: 10.1.0.5:9000
proxy-protocol:
  api-addr: 127.0.0.1:9100
  from: [10.0.0.9]
`

// The same content counts wherever it stands, and printing it gives something
// that can be read again.
func TestNetworksFromEverywhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "networks.yaml")
	if err := os.WriteFile(file, []byte(officeYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	inline := "networks:" + strings.ReplaceAll(officeYAML, "\n", "\n  ") + "\n"
	want, _, _, err := load(t, []string{"--networks=" + file}, nil, "")
	if err != nil || len(want.Networks.Spec().VPCs) != 1 {
		t.Fatalf("%+v %v", want, err)
	}
	for name, from := range map[string]struct {
		env  map[string]string
		file string
	}{
		"a variable":               {map[string]string{"FIDUCIAL_NETWORKS": file}, ""},
		"the settings file":        {nil, inline},
		"a file that it names":     {nil, "networks: " + file},
		"a variable over the file": {map[string]string{"FIDUCIAL_NETWORKS": file}, "networks: {vpcs: [{id: vpc-9, subnets: {subnet-z: [10.9.0.0/16]}}]}"},
	} {
		s, fs, sources, err := load(t, nil, from.env, from.file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want.Networks.Spec(), s.Networks.Spec()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		again, _, _, err := load(t, nil, nil, Print(fs, sources))
		if err != nil {
			t.Errorf("%s: what was printed cannot be read: %v", name, err)
		} else if diff := cmp.Diff(want.Networks.Spec(), again.Networks.Spec()); diff != "" {
			t.Errorf("%s, printed: %s", name, diff)
		}
	}
}

func TestNetworksRefuse(t *testing.T) {
	for text, want := range map[string]string{
		"networks: {vpc: []}":                                           "field vpc not found",
		"networks: /nowhere/networks.yaml":                              "no such file",
		"networks: {vpcs: [{id: vpc-1}]}":                               "networks.vpcs[0].subnets",
		"networks: {proxy-protocol: {from: [10.0.0.9]}}":                "networks.proxy-protocol",
		"networks: {proxy-protocol: {from: [\"::1\"], api-addr: here}}": "expected host:port",
		"networks: [1]":                                                 "cannot unmarshal",
	} {
		s, _, _, err := load(t, nil, nil, text)
		if err == nil {
			err = s.Check()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
