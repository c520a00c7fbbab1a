// Package crowdtest finds public crowd answers and their gold labels for tests.
// They are too large, or too little licensed, to be part of the repository.
package crowdtest

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"
)

// Folder is the folder with the sets. Without one the test is skipped.
func Folder(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("FIDUCIAL_DATA")
	if dir == "" {
		t.Skip("SKIPPED, accuracy NOT measured: set FIDUCIAL_DATA to a folder with crowd/<set>/answers.csv, crowd/<set>/truth.csv, crowd/bubil_boxes.csv and crowd/wsa/CrowdWSA2019_*.tsv")
	}
	return filepath.Join(dir, "crowd")
}

// Rows reads a CSV file without its header.
func Rows(t testing.TB, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[1:]
}
