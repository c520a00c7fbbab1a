package store

import (
	"fmt"
	"slices"
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

// oneOf is the condition that a column is one of the values; there is at least one.
// PostgreSQL, of a job that it has no statistics of yet, does not look each of them
// up, but reads all that lies between the ends that it knows of: so they are said.
func oneOf(column string, values []int64) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%[1]s >= %[2]d and %[1]s <= %[3]d and %[1]s in (", column, slices.Min(values), slices.Max(values))
	for i, v := range values {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString(strconv.FormatInt(v, 10))
	}
	text.WriteByte(')')
	return text.String()
}

// joinObject joins the objects of a table's rows. It adds 0 on purpose: who asks says
// which job, and PostgreSQL, as long as it has no statistics of that, expects one
// object in it and reads them all for each row.
func joinObject(alias string) string {
	return `join data_objects o on o.job = ` + alias + `.job + 0 and o.idx = ` + alias + `.idx`
}
