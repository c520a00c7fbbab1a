// Answers policy questions with @cloud-copilot/iam-simulate: one JSON object a
// line on standard input, one on standard output, in order. A program of its own,
// for tests only.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

// The package exports whole simulations only, which refuse what is not in its
// catalogue of actions; the engine below them takes any request.
const root = dirname(createRequire(import.meta.url).resolve("@cloud-copilot/iam-simulate"));
const load = (name) => import(pathToFileURL(join(root, "..", "esm", name)).href);
const { authorize } = await load("core_engine/CoreSimulatorEngine.js");
const { AwsRequestImpl } = await load("request/request.js");
const { RequestContextImpl } = await load("requestContext.js");
const { DiscoveryContextKeyConstraints } = await load("context_keys/discoveryContextKeyConstraints.js");
const { loadPolicy } = await import(pathToFileURL(createRequire(join(root, "x.js")).resolve("@cloud-copilot/iam-policy")).href).then((m) => m.default ?? m);

const effect = (s) =>
  s === undefined || s === "NotApplicable" ? "NoMatch"
  : s.startsWith("Allowed") ? "Allow"
  : s === "ExplicitlyDenied" || s === "DeniedForAccount" ? "Deny"
  : "NoMatch";

function answer(q) {
  const document = (d) => (d ? loadPolicy(d, { name: "p" }) : undefined);
  const principal = q.principal === "" ? { type: "Anonymous" } : q.principal;
  const a = authorize({
    request: new AwsRequestImpl(principal, { resource: q.resource, accountId: q.account }, q.action, new RequestContextImpl(q.context)),
    sessionPolicy: document(q.sessionPolicy),
    identityPolicies: (q.identityPolicies ?? []).map(document),
    serviceControlPolicies: [{ orgIdentifier: "o", policies: [document(everything)] }],
    resourceControlPolicies: [{ orgIdentifier: "o", policies: [document(everything)] }],
    resourcePolicy: document(q.resourcePolicy),
    permissionBoundaries: undefined,
    vpcEndpointPolicies: undefined,
    simulationParameters: { simulationMode: "Strict", discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([]) },
    serviceSettings: {},
  });
  return {
    identity: effect(a.identityAnalysis?.result),
    session: effect(a.sessionAnalysis?.result),
    resource: effect(a.resourceAnalysis?.result),
    final: effect(a.result),
  };
}

const everything = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: "*", Action: "*", Resource: "*" }] };

// An empty line asks for the answers so far.
let out = [];
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  if (line === "") {
    process.stdout.write(out.join("\n") + "\n");
    out = [];
    continue;
  }
  try {
    out.push(JSON.stringify(answer(JSON.parse(line))));
  } catch (e) {
    out.push(JSON.stringify({ error: String(e?.message ?? e) }));
  }
}
