package template

import "math"

// product of two sizes, MaxInt where it would overflow: a charge for a huge
// range must not come out small.
func product(a, b int) int {
	if a > 0 && b > math.MaxInt/a {
		return math.MaxInt
	}
	return a * b
}

func (r *run) alive() error {
	if r.ctx.Err() != nil {
		return &RenderError{Code: CodeLimitExceeded, Message: "rendering takes too long"}
	}
	return nil
}

func (r *run) charge(n int) error {
	if n < 0 || n > r.lim.Work-r.work {
		return &RenderError{Code: CodeLimitExceeded, Message: "the template makes too much out of its input"}
	}
	r.work += n
	return nil
}

// chargeValue charges for the size of a value without walking further than the
// budget reaches.
func (r *run) chargeValue(v any) error {
	switch v := v.(type) {
	case string:
		return r.charge(len(v))
	case markup:
		return r.charge(len(v.text))
	case span:
		return r.charge(product(16, v.length()))
	case *object:
		for _, m := range v.members {
			if err := r.charge(16 + len(m.name)); err != nil {
				return err
			}
			if err := r.chargeValue(m.value); err != nil {
				return err
			}
		}
		return nil
	case []any:
		if err := r.charge(16 * len(v)); err != nil {
			return err
		}
		for _, x := range v {
			if err := r.chargeValue(x); err != nil {
				return err
			}
		}
		return nil
	}
	return r.charge(8)
}
