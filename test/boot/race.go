//go:build race

package boot

const race = true
