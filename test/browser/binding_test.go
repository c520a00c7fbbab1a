package browser_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"fiducial/test/boot"
)

// way is what stands between browsers and a server: a plain relay, whose
// connections come from an address that the test chooses, or the end of a TLS
// connection.
type way struct {
	listener net.Listener
	to       string

	mu   sync.Mutex
	from string
	open map[net.Conn]bool
}

func newWay(t *testing.T, to, from string, tlsConfig *tls.Config) *way {
	t.Helper()
	l, err := net.Listen("tcp", boot.FreePorts(t, "127.0.0.1", 1)[0])
	if err != nil {
		t.Fatal(err)
	}
	if tlsConfig != nil {
		l = tls.NewListener(l, tlsConfig)
	}
	w := &way{listener: l, to: strings.TrimPrefix(to, "http://"), from: from, open: map[net.Conn]bool{}}
	t.Cleanup(func() { _ = l.Close(); w.move("") })
	go w.run()
	return w
}

func (w *way) addr() string { return w.listener.Addr().String() }

func (w *way) port() string {
	_, port, _ := net.SplitHostPort(w.addr())
	return port
}

func (w *way) run() {
	for {
		in, err := w.listener.Accept()
		if err != nil {
			return
		}
		go w.relay(in)
	}
}

func (w *way) relay(in net.Conn) {
	defer in.Close()
	w.mu.Lock()
	d := net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(w.from)}}
	w.mu.Unlock()
	out, err := d.Dial("tcp", w.to)
	if err != nil {
		return
	}
	defer out.Close()
	w.mu.Lock()
	w.open[in] = true
	w.mu.Unlock()
	go func() { _, _ = io.Copy(out, in); _ = out.(*net.TCPConn).CloseWrite() }()
	_, _ = io.Copy(in, out)
	w.mu.Lock()
	delete(w.open, in)
	w.mu.Unlock()
}

// move has connections come from another address; those that are open break, as
// when a VPN reconnects.
func (w *way) move(from string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.from = from
	for c := range w.open {
		_ = c.Close()
	}
}

// events reads the records of an action.
func events(t *testing.T, s *boot.Server, keep func(e map[string]any) bool) []map[string]any {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(s.DataDir, "audit", "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]any
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		for scan := bufio.NewScanner(f); scan.Scan(); {
			var e map[string]any
			if json.Unmarshal(scan.Bytes(), &e) == nil && keep(e) {
				out = append(out, e)
			}
		}
		_ = f.Close()
	}
	return out
}

func grants(e map[string]any) bool { return e["kind"] == "grant" && e["verdict"] == "allow" }

func bindToBrowsers(t *testing.T, s *boot.Server) {
	t.Helper()
	arn := "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/team"
	boot.Must(t)(s.AWS("sagemaker", "add-tags", "--resource-arn", arn, "--tags", "Key=fiducial:BrowserBinding,Value=Enabled"))
}

// pictureURL is what the picture of the frame was loaded from.
func (b *browser) pictureURL(frame context.Context) string {
	b.t.Helper()
	b.await(frame, deep+`("img.picture")?.naturalWidth > 0`)
	return eval[string](b, frame, deep+`("img.picture").src`)
}

// loads reports whether an image of that URL opens within the frame.
func (b *browser) loads(frame context.Context, url string, attribute string) bool {
	b.t.Helper()
	quoted, _ := json.Marshal(url)
	eval[bool](b, frame, `(() => { window.tried = "pending"; const i = new Image(); `+attribute+` i.onload = () => window.tried = "loaded"; i.onerror = () => window.tried = "failed"; i.src = `+string(quoted)+`; return true; })()`)
	b.await(frame, `window.tried !== "pending"`)
	return eval[string](b, frame, `window.tried`) == "loaded"
}

// Two colleagues at one address. What one of them pastes to the other does not
// open there, in no way that a browser or a program has of asking.
func TestTwoBrowsersBehindOneAddress(t *testing.T) {
	for _, at := range []struct {
		name  string
		hosts bool // TLS, and portal and media on two hosts
	}{{"plain loopback", false}, {"TLS on two hosts, third-party cookies blocked", true}} {
		t.Run(at.name, func(t *testing.T) {
			s, portal, flags := colleagues(t, at.hosts)
			s.Make(boot.Setup{Workers: []boot.Account{ada, bob}, SourceIP: true, Jobs: []boot.Job{
				{Name: "boxes", Function: "BoundingBox", Labels: []string{"Bird", "Cat"}, Objects: 4, Workers: 1},
			}})
			bindToBrowsers(t, s)
			task := func(who boot.Account) (*browser, context.Context, string) {
				b := open(t, portal, flags...)
				b.signIn(who)
				b.start("boxes")
				f := b.frame()
				return b, f, b.pictureURL(f)
			}
			owner, ownFrame, url := task(ada)
			owner.shot("owner")
			owner.quiet()
			if got := eval[string](owner, ownFrame, deep+`("img.picture").crossOrigin`); got != "use-credentials" {
				t.Errorf("the picture was loaded with crossorigin=%q: its stored pixels are not to be seen", got)
			}
			colleague, frame, his := task(bob)
			if !colleague.loads(frame, his, "") {
				t.Error("the colleague's own picture does not open")
			}
			for name, attribute := range map[string]string{"as an image": "", "with credentials": `i.crossOrigin = "use-credentials";`, "without": `i.crossOrigin = "anonymous";`} {
				if colleague.loads(frame, url, attribute) {
					t.Errorf("the pasted URL opens %s in the colleague's frame", name)
				}
			}
			colleague.do(chromedp.Navigate(url))
			if text := eval[string](colleague, colleague.ctx, `document.documentElement.textContent`); !strings.Contains(text, "AccessDenied") {
				t.Errorf("the pasted URL in the colleague's address bar: %.200s", text)
			}
			colleague.shot("colleague")
			client := &http.Client{Transport: toLoopback()}
			for name, cookie := range map[string]string{"by a program": "", "by a program with a made-up secret": "__Host-fiducial-browser=" + strings.Repeat("A", 43)} {
				r, _ := http.NewRequest("GET", url, nil)
				r.Header.Set("Cookie", cookie)
				res, err := client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				_ = res.Body.Close()
				if res.StatusCode != http.StatusForbidden {
					t.Errorf("the pasted URL %s: %s", name, res.Status)
				}
			}
			if !owner.loads(ownFrame, url, "") {
				t.Error("the owner's URL does not open any more")
			}
			denied := events(t, s, func(e map[string]any) bool { return e["statement"] == "browser binding" && e["verdict"] == "deny" })
			if len(denied) < 5 || denied[0]["worker"] == "" || denied[0]["grant"] == "" {
				t.Errorf("%d denials on record: %v", len(denied), denied)
			}
		})
	}
}

// toLoopback resolves every host to this machine and takes any certificate.
func toLoopback() *http.Transport {
	return &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // the test's own certificate
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			_, port, _ := net.SplitHostPort(addr)
			return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+port)
		},
	}
}

// colleagues is a server, the portal's URL and how browsers are to be started.
func colleagues(t *testing.T, hosts bool) (*boot.Server, string, []chromedp.ExecAllocatorOption) {
	t.Helper()
	if !hosts {
		s := boot.Start(t, boot.Options{})
		return s, s.Portal, nil
	}
	cert := &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}}
	ports := boot.FreePorts(t, "127.0.0.1", 2)
	api, portal := newWay(t, ports[0], "127.0.0.1", cert), newWay(t, ports[1], "127.0.0.1", cert)
	url := "https://portal.example:" + portal.port()
	s := boot.Start(t, boot.Options{Args: []string{"--api-addr", ports[0], "--portal-addr", ports[1],
		"--public-api-url", "https://media.test:" + api.port(), "--public-portal-url", url}})
	s.API, s.Portal = "http://"+ports[0], "http://"+ports[1]
	return s, url, []chromedp.ExecAllocatorOption{chromedp.Flag("ignore-certificate-errors", true), chromedp.Flag("test-third-party-cookie-phaseout", true),
		chromedp.Flag("host-resolver-rules", "MAP *.example 127.0.0.1, MAP *.test 127.0.0.1")}
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), DNSNames: []string{"portal.example", "media.test"}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// A browser that does not keep the cookie: the page says what is needed, and no
// broken picture is shown. By plain http at a name that is not the machine's own,
// browsers keep no such cookie.
func TestBrowserThatKeepsNoSecret(t *testing.T) {
	ports := boot.FreePorts(t, "127.0.0.1", 2)
	_, apiPort, _ := net.SplitHostPort(ports[0])
	_, portalPort, _ := net.SplitHostPort(ports[1])
	url := "http://portal.example:" + portalPort
	s := boot.Start(t, boot.Options{Args: []string{"--api-addr", ports[0], "--portal-addr", ports[1],
		"--public-api-url", "http://media.test:" + apiPort, "--public-portal-url", url}})
	s.API, s.Portal = "http://"+ports[0], "http://"+ports[1]
	s.Make(boot.Setup{Workers: []boot.Account{ada}, SourceIP: true, Jobs: []boot.Job{
		{Name: "boxes", Function: "BoundingBox", Labels: []string{"Bird", "Cat"}, Objects: 2, Workers: 1},
	}})
	bindToBrowsers(t, s)
	b := open(t, url, chromedp.Flag("host-resolver-rules", "MAP *.example 127.0.0.1, MAP *.test 127.0.0.1"))
	b.signIn(ada)
	b.start("boxes")
	b.await(b.ctx, `document.querySelector("#notice").innerText.includes("only in your own browser")`)
	b.shot("message")
	if n := len(events(t, s, grants)); n != 0 {
		t.Errorf("%d grants were made", n)
	}
	if got := eval[string](b, b.ctx, `document.querySelector("#stage iframe").src`); got != "" {
		t.Errorf("a frame is shown all the same: %s", got)
	}
	// Its operators can do without: the worker tries again, and works.
	arn := "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/team"
	boot.Must(t)(s.AWS("sagemaker", "delete-tags", "--resource-arn", arn, "--tag-keys", "fiducial:BrowserBinding"))
	b.press(`#notice button.small`)
	b.pictureURL(b.frame())
}

// The portal is reached by IPv6, the media by IPv4.
func TestDualStack(t *testing.T) {
	six := boot.FreePorts(t, "::1", 1)[0]
	s := boot.Start(t, boot.Options{Args: []string{"--portal-addr", six}})
	s.Portal = "http://" + six
	s.Make(boot.Setup{Workers: []boot.Account{ada}, SourceIP: true, Jobs: []boot.Job{
		{Name: "boxes", Function: "BoundingBox", Labels: []string{"Bird", "Cat"}, Objects: 2, Workers: 1},
		{Name: "custom", Function: "PassThrough", Labels: []string{}, Objects: 3, Workers: 1, Template: laterTemplate},
	}})
	b := open(t, s.Portal)
	b.signIn(ada)
	b.start("boxes")
	b.pictureURL(b.frame())
	b.shot("built-in")
	b.start("custom")
	b.await(b.frame(), `document.querySelector("#first").naturalWidth > 0`)
	b.shot("custom")
	b.quiet()
	made := events(t, s, grants)
	if len(made) < 2 {
		t.Fatalf("%d grants on record", len(made))
	}
	for _, g := range made {
		if g["origin"] != "::1" || g["mediaAddr"] != "127.0.0.1" || g["bound"] != "aws:SourceIp 127.0.0.1/32" {
			t.Errorf("on record: %v", g)
		}
	}

	// The media side must be within the workforce's networks as well.
	boot.Must(t)(s.AWS("sagemaker", "update-workforce", "--workforce-name", "workforce", "--source-ip-config", "Cidrs=::1/128"))
	before := len(events(t, s, grants))
	b.do(chromedp.Reload())
	b.await(b.ctx, `document.querySelector("#notice")?.innerText.includes("127.0.0.1, where this workforce may not work from")`)
	b.shot("not-admitted")
	if after := len(events(t, s, grants)); after != before {
		t.Errorf("%d grants were made for an address that is not admitted", after-before)
	}
}

// laterTemplate shows one picture at once and another each time a button is
// pressed: media that are loaded in the middle of the work.
const laterTemplate = `<crowd-form><img id="first" src="{{ task.input.source-ref | grant_read_access }}">
<crowd-input name="caption" label="Caption"></crowd-input>
<button type="button" id="more" data-urls="{{ "s3://input/custom/1.jpg" | grant_read_access }} {{ "s3://input/custom/2.jpg" | grant_read_access }}">More</button></crowd-form>
<script>{ const b = document.querySelector("#more"), urls = b.dataset.urls.split(" ");
b.onclick = () => { const i = document.createElement("img"); i.id = "second"; i.src = urls.shift(); document.body.append(i); }; }</script>`

// The worker's VPN reconnects in the middle of a task: the draft stays, what is
// loaded from then on opens, the page is not loaded anew, and both addresses are
// on record. A URL of before opens from neither.
func TestAddressChangesMidTask(t *testing.T) {
	ports := boot.FreePorts(t, "127.0.0.1", 2)
	api, portal := newWay(t, ports[0], "127.0.0.3", nil), newWay(t, ports[1], "127.0.0.3", nil)
	url := "http://" + portal.addr()
	s := boot.Start(t, boot.Options{Args: []string{"--api-addr", ports[0], "--portal-addr", ports[1],
		"--public-api-url", "http://" + api.addr(), "--public-portal-url", url}})
	s.API, s.Portal = "http://"+ports[0], "http://"+ports[1]
	s.Make(boot.Setup{Workers: []boot.Account{ada}, SourceIP: true, Jobs: []boot.Job{
		{Name: "custom", Function: "PassThrough", Labels: []string{}, Objects: 3, Workers: 1, Template: laterTemplate},
	}})
	b := open(t, url)
	b.signIn(ada)
	b.start("custom")
	f := b.frame()
	b.await(f, `document.querySelector("#first").naturalWidth > 0`)
	old := eval[string](b, f, `document.querySelector("#first").src`)
	eval[bool](b, b.ctx, `window.samePage = true`)
	b.click(f, "crowd-input")
	b.do(chromedp.KeyEvent("a bird"))
	b.kept(`a bird`)
	b.shot("before")

	move := func(to string) {
		api.move(to)
		portal.move(to)
	}
	move("127.0.0.4")
	b.click(f, "#more")
	f = b.renewed(old)
	b.shot("after the move")
	if !eval[bool](b, b.ctx, `window.samePage === true && !document.querySelector("#notice .alert")`) {
		t.Error("the page was loaded anew, or still complains")
	}
	b.click(f, "#more")
	b.await(f, `document.querySelector("#second")?.naturalWidth > 0`)
	for _, from := range []string{"127.0.0.3", "127.0.0.4"} {
		if status := statusFrom(t, from, old, api, ports[0]); status != http.StatusForbidden {
			t.Errorf("the URL of before from %s: %d", from, status)
		}
	}
	moved := events(t, s, func(e map[string]any) bool { return e["action"] == "portal:LocateWorker" && e["formerMedia"] != nil })
	if len(moved) != 1 || moved[0]["formerMedia"] != "127.0.0.3" || moved[0]["mediaAddr"] != "127.0.0.4" || moved[0]["origin"] != "127.0.0.4" {
		t.Errorf("the move on record: %v", moved)
	}
	var bound []string
	for _, g := range events(t, s, grants) {
		bound = append(bound, fmt.Sprint(g["bound"]))
	}
	if here, there := "aws:SourceIp 127.0.0.3/32", "aws:SourceIp 127.0.0.4/32"; !slices.Equal(bound, []string{here, here, here, there, there, there}) {
		t.Errorf("grants on record: %v", bound)
	}

	// Once more within the minute: the page does not turn in a circle, it asks.
	move("127.0.0.3")
	b.click(f, "#more")
	b.await(b.ctx, `document.querySelector("#notice .alert button")?.innerText === "Try again"`)
	b.shot("asks")
	old = eval[string](b, f, `document.querySelector("#first").src`)
	b.press(`#notice .alert button`)
	f = b.renewed(old)

	// Outside the networks the work is kept and the page says where one is.
	boot.Must(t)(s.AWS("sagemaker", "update-workforce", "--workforce-name", "workforce", "--source-ip-config", "Cidrs=127.0.0.3/32"))
	move("127.0.0.5")
	b.click(f, "#more")
	b.await(b.ctx, `document.querySelector("#notice .alert button")?.innerText === "Try again"`)
	b.press(`#notice .alert button`)
	b.await(b.ctx, `document.querySelector("#notice").innerText.includes("127.0.0.5, where this workforce may not work from")`)
	b.shot("outside")
	b.await(f, `document.querySelector("crowd-input").value === "a bird"`)
}

// renewed waits until the frame is another document that shows the picture by
// another URL and has the draft.
func (b *browser) renewed(old string) context.Context {
	b.t.Helper()
	quoted, _ := json.Marshal(old)
	for deadline := time.Now().Add(40 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		f := b.frame()
		ok, err := chromedp.Run(f, chromedp.Evaluate[bool](`document.querySelector("#first")?.naturalWidth > 0 && document.querySelector("#first").src !== `+string(quoted)+
			` && document.querySelector("crowd-input").value === "a bird"`))
		if err == nil && ok {
			return f
		}
		if time.Now().After(deadline) {
			b.shot("failed")
			b.t.Fatalf("the picture does not come back with the draft (%v)", err)
		}
	}
}

// statusFrom is what a URL answers to a connection from an address, past the ways.
func statusFrom(t *testing.T, from, url string, api *way, to string) int {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr == api.addr() {
			addr = to
		}
		return d.DialContext(ctx, network, addr)
	}}}
	res, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}
