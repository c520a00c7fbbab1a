package store

import (
	"strconv"
	"strings"
)

// placeholders appends values to args and returns the text of their
// parameters: "$2, $3". No values are "null", which nothing is in.
func placeholders(args []any, values []string) (string, []any) {
	if len(values) == 0 {
		return "null", args
	}
	marks := make([]string, len(values))
	for i, v := range values {
		args = append(args, v)
		marks[i] = "$" + strconv.Itoa(len(args))
	}
	return strings.Join(marks, ", "), args
}

// prefixed puts a table's alias before each of the columns.
func prefixed(alias, columns string) string {
	names := strings.Split(columns, ",")
	for i, n := range names {
		names[i] = alias + strings.TrimSpace(n)
	}
	return strings.Join(names, ", ")
}
