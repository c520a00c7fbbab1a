package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"gopkg.in/yaml.v3"

	"fiducial/internal/origin"
)

// Networks is the setting that names VPCs. It is structured: in the settings
// file it stands as it is, below "networks:"; as a flag or a variable it is the
// name of a YAML file with the same content.
type Networks struct {
	file string
	spec origin.Spec
	set  bool
}

// maxNetworks bounds the file.
const maxNetworks = 1 << 20

// Set implements pflag.Value: it reads the file.
func (n *Networks) Set(file string) error {
	if file == "" {
		*n = Networks{}
		return nil
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxNetworks+1))
	if err != nil {
		return err
	}
	if len(b) > maxNetworks {
		return fmt.Errorf("%s: at most %d bytes are allowed", file, maxNetworks)
	}
	if err := n.SetYAML(b); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	n.file = file
	return nil
}

// SetYAML takes the content itself. A name it does not know is an error.
func (n *Networks) SetYAML(b []byte) error {
	var spec origin.Spec
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&spec); err != nil && !errors.Is(err, io.EOF) {
		return errors.New(strings.ReplaceAll(err.Error(), "\n", ""))
	}
	*n = Networks{spec: spec, set: true}
	return nil
}

// Type implements pflag.Value.
func (n *Networks) Type() string { return "file" }

// String implements pflag.Value: the file's name, or the content on one line.
func (n *Networks) String() string {
	switch {
	case n.file != "":
		return n.file
	case !n.set:
		return ""
	}
	return n.YAML()
}

// YAML is the setting on one line.
func (n *Networks) YAML() string {
	b, err := json.Marshal(n.spec)
	if err != nil {
		return "{}"
	}
	return string(b)
}

// Spec is what was set.
func (n *Networks) Spec() origin.Spec { return n.spec }

// check refuses addresses to listen on that cannot be.
func (n *Networks) check() error {
	if _, err := origin.NewNetworks(n.spec); err != nil {
		return err
	}
	for _, v := range n.spec.VPCs {
		for _, e := range v.Endpoints {
			if err := checkAddrs(e.ID, e.APIAddr, e.PortalAddr); err != nil {
				return err
			}
		}
	}
	if p := n.spec.ProxyProtocol; p != nil {
		return checkAddrs("proxy-protocol", p.APIAddr, p.PortalAddr)
	}
	return nil
}

func checkAddrs(what string, addrs ...string) error {
	for _, a := range addrs {
		if _, _, err := net.SplitHostPort(a); a != "" && err != nil {
			return fmt.Errorf("networks: %s: %q: expected host:port", what, a)
		}
	}
	return nil
}
