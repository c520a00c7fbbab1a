package template

import (
	"embed"
	"path"
)

//go:embed builtin/*.html
var builtins embed.FS

// Builtin returns the template for a built-in task type ("object-detection").
// It reads task.input.taskObject and .labels and, where there are any, .title,
// .description, .shortInstruction and .fullInstruction; the last two are HTML.
//
// A job uses it only when it names no template of its own.
func Builtin(taskType string) (src string, ok bool) {
	if taskType == "" || taskType != path.Base(taskType) {
		return "", false
	}
	b, err := builtins.ReadFile("builtin/" + taskType + ".html")
	return string(b), err == nil
}
