package objects

import (
	"strconv"
	"strings"

	"fiducial/internal/fault"
)

// parseRange reads one byte range ("bytes=1-5", "bytes=7-", "bytes=-4") of an
// object of the given size. whole is true if the header asks for nothing that
// S3 serves in part: no header, a malformed one, or several ranges.
func parseRange(header string, size int64) (start, length int64, whole bool, err error) {
	first, last, ok := splitRange(header)
	if !ok {
		return 0, size, true, nil
	}
	unsatisfiable := fault.Coded("objects", fault.Invalid, "InvalidRange", "The requested range is not satisfiable")
	if first < 0 { // the last bytes
		if last == 0 || size == 0 {
			return 0, 0, false, unsatisfiable
		}
		last = min(last, size)
		return size - last, last, false, nil
	}
	if first >= size {
		return 0, 0, false, unsatisfiable
	}
	if last < 0 || last >= size {
		last = size - 1
	}
	return first, last - first + 1, false, nil
}

// splitRange returns first-last of "bytes=first-last"; -1 stands for a number
// that is left out. With first left out, last counts from the end.
func splitRange(header string) (first, last int64, ok bool) {
	spec, found := strings.CutPrefix(header, "bytes=")
	if !found || strings.Contains(spec, ",") {
		return 0, 0, false
	}
	a, b, found := strings.Cut(strings.TrimSpace(spec), "-")
	if !found || a == "" && b == "" {
		return 0, 0, false
	}
	if first, ok = offset(a); !ok {
		return 0, 0, false
	}
	if last, ok = offset(b); !ok {
		return 0, 0, false
	}
	if first >= 0 && last >= 0 && last < first {
		return 0, 0, false
	}
	return first, last, true
}

func offset(s string) (int64, bool) {
	if s == "" {
		return -1, true
	}
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err == nil
}

// parseCopyRange reads the range of UploadPartCopy, which must have both ends
// and lie within the source.
func parseCopyRange(header string, size int64) (start, length int64, err error) {
	if header == "" {
		return 0, size, nil
	}
	first, last, ok := splitRange(header)
	if !ok || first < 0 || last < 0 {
		return 0, 0, fault.Coded("objects", fault.Invalid, "InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
	}
	if last >= size {
		return 0, 0, fault.Coded("objects", fault.Invalid, "InvalidRange", "The requested range is not satisfiable: the source has "+strconv.FormatInt(size, 10)+" bytes")
	}
	return first, last - first + 1, nil
}
