package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// A root key that is given as itself shows nowhere; where one is does.
func TestKeySource(t *testing.T) {
	const key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
	var s Settings
	fs := pflag.NewFlagSet("t", pflag.ContinueOnError)
	s.Register(fs)
	sources, err := Load(fs, "", func(name string) (string, bool) { return key, name == "FIDUCIAL_ROOT_KEY" })
	if err != nil || string(s.RootKey) != key {
		t.Fatal(s.RootKey, err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "key", s.RootKey)
	j, _ := json.Marshal(s)
	if shown := fmt.Sprintf("%v %+v %#v %s", s.RootKey, s, s, s.RootKey) + log.String() + string(j) + Print(fs, sources) + fs.FlagUsages(); strings.Contains(shown, key[:20]) {
		t.Errorf("shown in %s", shown)
	}
	if k := KeySource("vault:https://v#transit/k"); k.String() != string(k) {
		t.Errorf("hidden: %s", k)
	}
}
