package network

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fiducial/test/boot"
)

// nginx starts the real one with a configuration, in a folder of its own.
func nginx(t *testing.T, ready string, config string) {
	t.Helper()
	bin, err := exec.LookPath("nginx")
	if err != nil {
		bin = "/usr/sbin/nginx"
	}
	const stream = "/usr/lib/nginx/modules/ngx_stream_module.so"
	if _, err := os.Stat(bin); err != nil {
		t.Fatal("there is no nginx: make setup installs it")
	}
	if _, err := os.Stat(stream); err != nil {
		t.Fatal("nginx has no stream module: make setup installs it (Debian: libnginx-mod-stream)")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "nginx.conf")
	head := "load_module " + stream + ";\ndaemon off;\nmaster_process off;\nworker_processes 1;\npid " + dir + "/pid;\nerror_log stderr warn;\nevents {}\n"
	if err := os.WriteFile(file, []byte(head+strings.ReplaceAll(config, "DIR", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(bin, "-p", dir, "-c", file)
	var log strings.Builder
	c.Stdout, c.Stderr = &log, &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(os.Interrupt)
		_ = c.Wait()
		if t.Failed() {
			t.Logf("nginx: %s", log.String())
		}
	})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", ready); err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nginx does not listen:\n%s", log.String())
		}
	}
}

// A real nginx in front, in the two ways that docs/networks.md shows: its stream
// module sends PROXY headers (version 1), its http module X-Forwarded-For.
func TestBehindNginx(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	front := boot.FreePorts(t, "127.0.0.1", 2)
	nginx(t, front[1], fmt.Sprintf(`
stream {
  server {
    listen %s;
    proxy_pass %s;
    proxy_bind %s;
    proxy_protocol on;
  }
}
http {
  access_log off;
  client_body_temp_path DIR; proxy_temp_path DIR; fastcgi_temp_path DIR; uwsgi_temp_path DIR; scgi_temp_path DIR;
  server {
    listen %s;
    location / {
      proxy_pass %s;
      proxy_bind %s;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header Forwarded "";
    }
  }
}
`, front[0], w.proxyAPI, balancer, front[1], w.API, proxy))
	w.aws(t, "s3api", "create-bucket", "--bucket", "office")
	w.aws(t, "s3api", "put-object", "--bucket", "office", "--key", "picture")
	w.aws(t, "s3api", "put-bucket-policy", "--bucket", "office", "--policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",`+
		`"Action":"s3:GetObject","Resource":"arn:aws:s3:::office/*","Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.3"}}}]}`)
	for i, way3 := range front {
		for from, want := range map[string]int{"127.0.0.3": 200, "127.0.0.4": 403} {
			for _, header := range []map[string]string{nil, {"X-Forwarded-For": "127.0.0.3"}, {"Forwarded": "for=127.0.0.3"}, {"X-Real-IP": "127.0.0.3"}, {"Connection": "X-Forwarded-For"}} {
				if status, body := (way{from: from, to: way3, header: header}).get(t, w.API+"/office/picture"); status != want {
					t.Errorf("nginx %d, from %s with %v: %d %s", i, from, header, status, body)
				}
			}
		}
	}
}
