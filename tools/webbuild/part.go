package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// partOptions builds what comes only with the pages that need it. It uses the
// modules of the first part, which lends them by src/crowd/shared.ts, and does not
// run before that has come.
func partOptions(abs string) (api.BuildOptions, error) {
	lent, err := lentModules(filepath.Join(abs, "src", "crowd", "shared.ts"))
	if err != nil {
		return api.BuildOptions{}, err
	}
	o := options(abs, nil)
	o.EntryPointsAdvanced = []api.EntryPoint{{InputPath: secondEntry, OutputPath: "crowd-segmentation"}}
	o.Banner = map[string]string{"js": "(()=>{const part=fiducialCrowdLent=>{"}
	o.Footer = map[string]string{"js": "};self.fiducialCrowdShared?part(self.fiducialCrowdShared):(self.fiducialCrowdParts??=[]).push(part)})();"}
	o.Plugins = append(o.Plugins, lentPlugin(lent))
	return o, nil
}

var exportFrom = regexp.MustCompile(`(?m)^export \{[^}]*\} from "([^"]+)";$`)

// lentModules are the modules that the first part lends, by path, packages by name.
func lentModules(shared string) (map[string]bool, error) {
	source, err := os.ReadFile(shared)
	if err != nil {
		return nil, err
	}
	lent := map[string]bool{}
	for _, m := range exportFrom.FindAllStringSubmatch(string(source), -1) {
		lent[modulePath(filepath.Dir(shared), m[1])] = true
	}
	return lent, nil
}

func modulePath(dir, specifier string) string {
	if !strings.HasPrefix(specifier, ".") {
		return specifier
	}
	return filepath.Join(dir, strings.TrimSuffix(specifier, ".js")+".ts")
}

func lentPlugin(lent map[string]bool) api.Plugin {
	contents := "module.exports = fiducialCrowdLent;"
	return api.Plugin{
		Name: "lent",
		Setup: func(build api.PluginBuild) {
			build.OnResolve(api.OnResolveOptions{Filter: `.*`}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
				if !lent[modulePath(args.ResolveDir, args.Path)] {
					return api.OnResolveResult{}, nil
				}
				return api.OnResolveResult{Path: "lent", Namespace: "lent"}, nil
			})
			build.OnLoad(api.OnLoadOptions{Filter: `.*`, Namespace: "lent"}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
				return api.OnLoadResult{Contents: &contents, Loader: api.LoaderJS}, nil
			})
		},
	}
}
