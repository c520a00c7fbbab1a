// Package portal is where workers label: an http.Handler for the portal's port.
//
// It translates and never decides: who may sign in is signin's business, which
// task a worker gets is the queue's, what a media URL may open is access's.
//
// # Doors
//
// Every request passes, in this order:
//
//  1. The workforce's SourceIpConfig.Cidrs, against the request's origin. Who
//     comes from elsewhere gets 404 and a page that names the address seen; no
//     other door is reached, the assets' neither. (Ground Truth's documents
//     say both 204 and "not found"; a 404 is one a person can read.)
//
//  2. For anything but GET and HEAD: the request was made by a page of this
//     origin (Sec-Fetch-Site, Origin; net/http.CrossOriginProtection).
//
//  3. The route's own door:
//
//     open         /assets/…             anybody
//     stranger     /signin               anybody; who is signed in is sent on
//     newcomer     /new-password         a session that must set a new password
//     worker       everything else       a session that is signed in, of a
//     worker who is enabled now
//
//  4. For anything but GET and HEAD with a session: the session's CSRF value, in
//     the field csrf or the header X-CSRF-Token. Cross-origin protection would
//     do alone in today's browsers; this holds in the others.
//
//  5. What belongs to whom: jobs only of the worker's teams, assignments only
//     the worker's own and live. Another's assignment id answers as one that
//     does not exist.
//
// # The frame
//
// A worker task template is foreign code. It is shown in an iframe with
// sandbox="allow-scripts allow-forms", and its document carries the same in its
// Content-Security-Policy, so that it has an opaque origin however it is
// opened: no cookie, no storage, no way into the page around it. What a script
// in it could still do is cut off one by one:
//
//   - fetch, XMLHttpRequest, WebSocket, EventSource, beacons: connect-src 'none'
//   - forms that leave: form-action 'none'
//   - images, media, fonts, frames: only from the media endpoint and itself
//   - navigating the top window or opening others: no allow-top-navigation and
//     no allow-popups
//   - navigating itself, with what it knows in the URL: the page around it has
//     frame-src 'self', which covers every navigation of the frame. Opened at
//     the top the frame would have no such guard, so a browser that says it is
//     opening it there (Sec-Fetch-Dest: document) is sent to the task page.
//   - posting to the portal: a request of an opaque origin fails at door 2, and
//     without the CSRF value at door 4
//   - the assignment: it speaks over a MessagePort that the page around it made
//     for one assignment, and names none
//
// Media URLs in the page are signed for the worker's address. Referrer-Policy is
// no-referrer (on plain http, same-origin for the portal's own pages), so that
// no other host is told them.
//
// # Cookie
//
// One cookie, the session token: HttpOnly, SameSite=Lax, and where the portal's
// public URL is https or a loopback host, Secure and named __Host-fiducial (a
// browser then takes it from no other host and no plain page). Browsers count
// plain loopback as secure; Safari does not, and needs TLS there too. On plain
// http at any other host there is nothing that would make the cookie safe; it is
// then named fiducial, so that sign-in works behind whoever accepts that.
package portal
