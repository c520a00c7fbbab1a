package browser_test

import (
	"slices"

	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// cookies are those that the browser holds, with their values.
func (b *browser) cookies() []string {
	b.t.Helper()
	r, err := chromedp.CallBrowser(b.ctx, storage.GetCookies, storage.GetCookiesParams{})
	if err != nil {
		b.t.Fatal(err)
	}
	var all []string
	for _, c := range r.Cookies {
		all = append(all, c.Domain+c.Path+" "+c.Name+"="+c.Value)
	}
	slices.Sort(all)
	return all
}
