package template

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// text is a value as a filter's argument or a key: numbers and words as they
// are printed, arrays and objects run together as Liquid does.
func text(v any) string {
	switch v := v.(type) {
	case nil, word:
		return ""
	case string:
		return v
	case markup:
		return text(plain(v))
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case float64:
		return decimal(v)
	case span:
		return fmt.Sprintf("%d..%d", v.first, v.last)
	}
	s, _ := jsonOf(v)
	return s
}

// number is what filters take for a number: an int or a float64. What is none is 0.
func number(v any) any {
	switch v := plain(v).(type) {
	case int, float64:
		return v
	case string:
		s := strings.TrimSpace(v)
		if n, err := strconv.Atoi(s); err == nil {
			return n
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return f
		}
	}
	return 0
}

// integer is a number without what stands after its point.
func integer(v any) int {
	switch n := number(v).(type) {
	case int:
		return n
	case float64:
		if math.Abs(n) < 1<<53 {
			return int(n)
		}
	}
	return 0
}

// operand of a calculation. Floats are taken for the decimal numbers that they
// are written as, so that 0.1 and 0.2 make 0.3.
func rational(v any) *big.Rat {
	if f, ok := v.(float64); ok {
		if r, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64)); ok {
			return r
		}
		return new(big.Rat)
	}
	n, _ := v.(int)
	return new(big.Rat).SetInt64(int64(n))
}

// result is an int if both operands were and it is one that fits, else a float64.
func result(r *big.Rat, ints bool) any {
	if ints && r.IsInt() && r.Num().IsInt64() {
		return int(r.Num().Int64())
	}
	f, _ := r.Float64()
	return f
}

// floorOf is the largest integer that is not above r.
func floorOf(r *big.Rat) *big.Int {
	q, m := new(big.Int).DivMod(r.Num(), r.Denom(), new(big.Int))
	_ = m
	return q
}

type calculation func(a, b *big.Rat, ints bool) (any, error)

// numeric makes a filter out of a calculation with the input and one argument.
func numeric(do calculation) func(call) (any, error) {
	return func(c call) (any, error) {
		a, b := number(c.in), number(c.arg(0))
		_, one := a.(int)
		_, two := b.(int)
		return do(rational(a), rational(b), one && two)
	}
}

func absolute(a, _ *big.Rat, ints bool) (any, error) { return result(a.Abs(a), ints), nil }
func plus(a, b *big.Rat, ints bool) (any, error)     { return result(a.Add(a, b), ints), nil }
func minus(a, b *big.Rat, ints bool) (any, error)    { return result(a.Sub(a, b), ints), nil }
func times(a, b *big.Rat, ints bool) (any, error)    { return result(a.Mul(a, b), ints), nil }

// whole is ceil and floor, which leave alone what is whole already and of a size
// that the library would cut.
func whole(c call) (any, error) {
	if f, ok := c.in.(float64); ok && math.Abs(f) < 1<<53 {
		return library(c)
	}
	return c.in, nil
}

var errZero = errors.New("division by zero")

// dividedBy gives an integer for integers, rounded down.
func dividedBy(a, b *big.Rat, ints bool) (any, error) {
	if b.Sign() == 0 {
		return nil, errZero
	}
	q := a.Quo(a, b)
	if ints {
		q = new(big.Rat).SetInt(floorOf(q))
	}
	return result(q, ints), nil
}

func modulo(a, b *big.Rat, ints bool) (any, error) {
	if b.Sign() == 0 {
		return nil, errZero
	}
	q := new(big.Rat).SetInt(floorOf(new(big.Rat).Quo(a, b)))
	return result(a.Sub(a, q.Mul(q, b)), ints), nil
}

// round takes halves away from zero.
func round(c call) (any, error) {
	digits := min(max(integer(c.arg(0)), -20), 20)
	n := rational(number(c.in))
	scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(digits, -digits))), nil))
	if digits < 0 {
		scale.Inv(scale)
	}
	negative := n.Sign() < 0
	n.Abs(n)
	n.Add(n.Mul(n, scale), big.NewRat(1, 2))
	n.Quo(new(big.Rat).SetInt(floorOf(n)), scale)
	if negative {
		n.Neg(n)
	}
	_, whole := number(c.in).(int)
	return result(n, whole || digits <= 0), nil
}
