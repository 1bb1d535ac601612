// Package main renders the Helm chart as `helm template` does, after `helm lint`, with the libraries of Helm itself.
//
// It reads {"chart", "namespace", "values"} from its standard input, `values` being the YAML of a values file, and
// writes {"manifest", "notes", "lint"}: the rendered objects as one YAML stream in the order of installation, what
// `helm install` would say at its end, and what lint objects to. A chart that cannot be rendered ends it with 1.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"helm.sh/helm/v3/pkg/releaseutil"
)

type request struct {
	Chart     string `json:"chart"`
	Namespace string `json:"namespace"`
	Values    string `json:"values"`
}

type answer struct {
	Manifest string   `json:"manifest"`
	Notes    string   `json:"notes"`
	Lint     []string `json:"lint"`
}

func main() {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		fail(err)
	}
	rendered, err := render(asked)
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(rendered); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func render(asked request) (*answer, error) {
	values, err := chartutil.ReadValues([]byte(asked.Values))
	if err != nil {
		return nil, err
	}
	chart, err := loader.Load(asked.Chart)
	if err != nil {
		return nil, err
	}
	if err := chartutil.ProcessDependenciesWithMerge(chart, values); err != nil {
		return nil, err
	}
	release := chartutil.ReleaseOptions{Name: "turnus", Namespace: asked.Namespace, Revision: 1, IsInstall: true}
	context, err := chartutil.ToRenderValues(chart, values, release, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(chart, context)
	if err != nil {
		return nil, err
	}
	result := &answer{Lint: lintMessages(asked, values)}
	for name, content := range files {
		if path.Base(name) == "NOTES.txt" {
			result.Notes = content
			delete(files, name)
		}
	}
	_, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return nil, err
	}
	for _, manifest := range manifests {
		result.Manifest += "---\n" + strings.TrimSpace(manifest.Content) + "\n"
	}
	return result, nil
}

// What is worse than information.
func lintMessages(asked request, values map[string]interface{}) []string {
	messages := []string{}
	for _, message := range lint.All(asked.Chart, values, asked.Namespace, true).Messages {
		if message.Severity > support.InfoSev {
			messages = append(messages, message.Error())
		}
	}
	return messages
}
