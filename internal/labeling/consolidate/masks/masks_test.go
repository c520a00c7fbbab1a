package masks

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// picture reads a mask as it looks: digits are classes, dots background.
func picture(rows ...string) Mask {
	m := Mask{Width: len(rows[0]), Height: len(rows)}
	for _, r := range rows {
		for _, c := range strings.ReplaceAll(r, ".", "0") {
			m.Pixels = append(m.Pixels, uint8(c-'0'))
		}
	}
	return m
}

func (m Mask) String() string {
	var b strings.Builder
	for i, p := range m.Pixels {
		if i > 0 && i%m.Width == 0 {
			b.WriteByte(' ')
		}
		b.WriteByte(".123456789"[p])
	}
	return b.String()
}

func TestConsolidate(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []Mask
		want    string
		sure    map[uint8]float64
	}{
		{"nobody", nil, "", nil},
		{"one worker: left as it is, stray pixel and all", []Mask{picture("....", ".1..", "....")}, ".... .1.. ....", map[uint8]float64{0: 0, 1: 0}},
		{"all alike, a fine line too", []Mask{picture("..2.", "..2.", "..2."), picture("..2.", "..2.", "..2.")}, "..2. ..2. ..2.", map[uint8]float64{0: 1, 2: 1}},
		{"one of three is another object", []Mask{picture("1111", "1111", "...."), picture("2222", "2222", "...."), picture("1111", "1111", "....")}, "1111 1111 ....", map[uint8]float64{0: 1, 1: 2. / 3}},
		{"one worker's stray pixel goes", []Mask{picture("....", ".1..", "...."), picture("....", "....", "...."), picture("....", "....", "....")}, ".... .... ....", map[uint8]float64{0: 35. / 36}},
		{"two disagree on everything: the lower class", []Mask{picture("22", "22"), picture("11", "11")}, "11 11", map[uint8]float64{1: 0.5}},
		{"outlines in the middle", []Mask{picture("11....", "11....", "11...."), picture("1111..", "1111..", "1111.."), picture("111...", "111...", "111...")}, "111... 111... 111...", map[uint8]float64{0: 8. / 9, 1: 8. / 9}},
		{"other sizes and broken masks are garbage", []Mask{picture("1"), picture("11", "11"), {Width: 2, Height: 2, Pixels: []uint8{1}}, {Width: -2, Height: -2, Pixels: make([]uint8, 4)}, {}, picture("11", "11")}, "11 11", map[uint8]float64{1: 1}},
		{"only broken masks", []Mask{{Width: 3, Height: 1, Pixels: []uint8{1}}, {Width: math.MaxInt, Height: 4}}, "", nil},
	} {
		got := Consolidate(c.answers)
		if diff := cmp.Diff(c.want, got.String()); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.sure, got.Confidence, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
			t.Errorf("%s: confidence (-want +got):\n%s", c.name, diff)
		}
	}
}

// A disc by five workers whose hands shake: the smoothed vote is nearer to it
// than they are, and than the vote on each pixel alone.
func TestSimulatedMasks(t *testing.T) {
	const size = 96
	inside := func(x, y int, cx, cy, radius float64) bool {
		return math.Hypot(float64(x)-cx, float64(y)-cy) < radius
	}
	paint := func(fn func(x, y int) bool) Mask {
		m := Mask{size, size, make([]uint8, size*size)}
		for at := range m.Pixels {
			if fn(at%size, at/size) {
				m.Pixels[at] = 1
			}
		}
		return m
	}
	iou := func(a, b Mask) float64 {
		both, either := 0.0, 0.0
		for at := range a.Pixels {
			both += float64(a.Pixels[at] & b.Pixels[at])
			either += float64(a.Pixels[at] | b.Pixels[at])
		}
		return both / either
	}
	r := rand.New(rand.NewPCG(1, 2))
	single, vote, smoothed := 0.0, 0.0, 0.0
	const n = 20
	for range n {
		truth := paint(func(x, y int) bool { return inside(x, y, 48, 48, 30) })
		var answers []Mask
		for range 5 {
			cx, cy, radius := 48+4*r.NormFloat64(), 48+4*r.NormFloat64(), 30+4*r.NormFloat64()
			m := paint(func(x, y int) bool {
				return inside(x, y, cx, cy, radius+2*r.NormFloat64())
			})
			single += iou(m, truth) / 5 / n
			answers = append(answers, m)
		}
		plain := paint(func(x, y int) bool {
			sum := 0
			for _, a := range answers {
				sum += int(a.Pixels[y*size+x])
			}
			return sum > 2
		})
		vote += iou(plain, truth) / n
		smoothed += iou(Consolidate(answers).Mask, truth) / n
	}
	t.Logf("IoU with the truth: one %.3f, vote on each pixel %.3f, smoothed %.3f", single, vote, smoothed)
	if vote < single+0.05 || smoothed < vote {
		t.Errorf("one %.3f, vote %.3f, smoothed %.3f", single, vote, smoothed)
	}
}

func instances(labels []int, rows ...string) Instances {
	m := picture(rows...)
	out := Instances{Width: m.Width, Height: m.Height, Labels: labels}
	for _, p := range m.Pixels {
		out.Pixels = append(out.Pixels, uint16(p))
	}
	return out
}

func TestConsolidateInstances(t *testing.T) {
	two := instances([]int{7, 7}, "11..22", "11..22", "11..22")
	for _, c := range []struct {
		name    string
		answers []Instances
		want    string
		labels  []int
		sure    []float64
	}{
		{"nobody", nil, "", nil, nil},
		{"one worker", []Instances{two}, "11..22 11..22 11..22", []int{7, 7}, []float64{0, 0}},
		{"numbered otherwise", []Instances{two, instances([]int{7, 7}, "22..11", "22..11", "22..11")}, "11..22 11..22 11..22", []int{7, 7}, []float64{1, 1}},
		{"one of three sees one object where two are", []Instances{two, two, instances([]int{7}, "11..11", "11..11", "11..11")}, "11..22 11..22 11..22", []int{7, 7}, []float64{0.833, 0.667}},
		{"one of three missed one, one invented one", []Instances{two, instances([]int{7}, "11....", "11....", "11...."), instances([]int{7, 7, 8}, "113322", "113322", "113322")}, "11..22 11..22 11..22", []int{7, 7}, []float64{1, 0.667}},
		{"pixels of no instance", []Instances{instances([]int{7}, "1199", "1199"), instances([]int{7}, "11..", "11..")}, "11.. 11..", []int{7}, []float64{1}},
		{"another label", []Instances{instances([]int{7}, "11..", "11.."), instances([]int{5}, "11..", "11..")}, "11.. 11..", []int{5}, []float64{0.5}},
		{"broken", []Instances{{Width: 2, Height: 2}}, "", nil, nil},
	} {
		got := ConsolidateInstances(c.answers)
		m := Mask{Width: got.Width, Height: got.Height}
		for _, p := range got.Pixels {
			m.Pixels = append(m.Pixels, uint8(p))
		}
		if diff := cmp.Diff(c.want, m.String()); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.labels, got.Labels); diff != "" {
			t.Errorf("%s: labels (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.sure, got.Confidence, cmpopts.EquateApprox(0, 0.01)); diff != "" {
			t.Errorf("%s: confidence (-want +got):\n%s", c.name, diff)
		}
	}
}

func FuzzMasks(f *testing.F) {
	f.Add([]byte{1, 1, 0, 0, 1, 2, 0, 0, 1}, uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, width uint8) {
		w := int(width%8) + 1
		var answers []Mask
		var painted []Instances
		for h := 3; len(b) >= w*h && len(answers) < 9; b = b[w*h:] {
			answers = append(answers, Mask{w, h, b[:w*h]})
			in := Instances{Width: w, Height: h, Labels: []int{0, 1, 0}}
			for _, p := range b[:w*h] {
				in.Pixels = append(in.Pixels, uint16(p%5))
			}
			painted = append(painted, in)
		}
		got := Consolidate(answers)
		for _, c := range got.Confidence {
			if !(c >= 0 && c <= 1) {
				t.Fatalf("%+v", got)
			}
		}
		in := ConsolidateInstances(painted)
		for _, p := range in.Pixels {
			if int(p) > len(in.Labels) {
				t.Fatalf("%+v", in)
			}
		}
		for _, c := range in.Confidence {
			if !(c >= 0 && c <= 1+1e-9) {
				t.Fatalf("%+v", in)
			}
		}
	})
}
