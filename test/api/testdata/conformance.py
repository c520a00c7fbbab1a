# Every operation of both service models: what the model forbids is refused in its
# words, what it allows is not; and what the operations do and refuse by themselves.
# Arguments: the two service models.
import re

try:
    from re import _parser as parser
except ImportError:
    import sre_parse as parser

a2i = boto3.client("sagemaker-a2i-runtime", config=loose)
models = [(sm, json.load(open(sys.argv[1]))), (a2i, json.load(open(sys.argv[2])))]
arn = "arn:aws:sagemaker:%s:%s:" % (region, account)
team, role = arn + "workteam/private-crowd/team", "arn:aws:iam::%s:role/GroundTruthExecution" % account


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


# --- legal values, and values that break one constraint
def python(pattern):
    # Python has no classes by property; letters do for all of them.
    return re.sub(r"\\p\{\w+\}", "a-z", pattern)


def shortest(parsed):
    out = ""
    for op, arg in parsed:
        op = str(op)
        if op == "LITERAL":
            out += chr(arg)
        elif op in ("ANY", "NOT_LITERAL"):
            out += "x"
        elif op == "IN":
            out += letter(arg)
        elif op in ("MAX_REPEAT", "MIN_REPEAT"):
            out += shortest(arg[2]) * arg[0]
        elif op == "SUBPATTERN":
            out += shortest(arg[-1])
        elif op == "BRANCH":
            out += shortest(arg[1][0])
    return out


def letter(items):
    kinds = [str(i[0]) for i in items]
    if "NEGATE" in kinds:
        return "x"
    if "CATEGORY" in kinds:
        return "0" if all(str(i[1]).endswith("_DIGIT") for i in items) else "x"
    for op, arg in items:
        if str(op) == "RANGE" and arg[0] <= ord("a") <= arg[1]:
            return "a"
    op, arg = items[0]
    return chr(arg[0] if str(op) == "RANGE" else arg)


def sample(m, name, whole):
    s = m["shapes"][name]
    t = s["type"]
    if t == "structure":
        return {k: sample(m, v["shape"], whole) for k, v in s["members"].items() if whole or k in s.get("required", [])}
    if t == "list":
        return [sample(m, s["member"]["shape"], whole)] * max(1, s.get("min", 0))
    if t == "map":
        return {sample(m, s["key"]["shape"], whole): sample(m, s["value"]["shape"], whole)}
    if t in ("integer", "long"):
        return max(1, s.get("min", 0))
    if t == "boolean":
        return True
    if t == "timestamp":
        return datetime.datetime(2021, 5, 27)
    if "enum" in s:
        return s["enum"][0]
    text = shortest(parser.parse(python(s["pattern"]))) if "pattern" in s else "x"
    return text + "x" * (s.get("min", 0) - len(text))


def lower(name):
    return name[:1].lower() + name[1:]


def breaks(m, name, at):
    """(what, broken value, words) of one member, not below it"""
    s = m["shapes"][name]
    t = s["type"]
    place = " at '%s' failed to satisfy constraint: Member must " % at
    sizes = ("have length greater than or equal to %d", "have length less than or equal to %d")
    if t in ("list", "map"):
        one = sample(m, s["member"]["shape"], False) if t == "list" else None
        many = lambda n: [one] * n if t == "list" else {"k%d" % i: "v" for i in range(n)}
        if s.get("min", 0) > 0:
            yield "few", many(s["min"] - 1), place + sizes[0] % s["min"]
        if "max" in s:
            yield "many", many(s["max"] + 1), place + sizes[1] % s["max"]
        if t == "list" and m["shapes"][s["member"]["shape"]]["type"] == "string":
            for what, v, _ in breaks(m, s["member"]["shape"], at):
                yield "element " + what, [v], place + "satisfy constraint: ["
    elif t == "integer":
        if "min" in s:
            yield "low", s["min"] - 1, place + "have value greater than or equal to %d" % s["min"]
        if "max" in s:
            yield "high", s["max"] + 1, place + "have value less than or equal to %d" % s["max"]
    elif t == "string" and "enum" in s:
        yield "enum", "nonesuch", place + "satisfy enum value set: [" + ", ".join(s["enum"]) + "]"
    elif t == "string":
        if "max" in s:
            yield "long", "x" * (s["max"] + 1), place + sizes[1] % s["max"]
        if "pattern" not in s:
            if s.get("min", 0) > 0:
                yield "short", "", place + sizes[0] % s["min"]
            return
        full = re.compile("(?:%s)\\Z" % python(s["pattern"]))
        for bad_text in ("\x01",) if "\\p{" in s["pattern"] else ("\u00e9 \u00f6", "\n", "\x01"):
            bad_text += "\n" * max(0, s.get("min", 0) - len(bad_text))
            if len(bad_text) <= s.get("max", 1 << 30) and not full.match(bad_text):
                yield "pattern", bad_text, place + "satisfy regular expression pattern: " + s["pattern"]
                return


def walk(m, name, at, keys):
    """(way to the member, how it is broken, value, words); value None: it is missing"""
    s = m["shapes"][name]
    for k, ref in s.get("members", {}).items():
        here = (at + "." if at else "") + lower(k)
        way = keys + [k]
        in_path = ref.get("location") == "uri"
        if k in s.get("required", []) and not in_path:  # no client can send a path without it
            yield way, "missing", None, "Value null at '%s' failed to satisfy constraint: Member must not be null" % here
        for what, v, words in breaks(m, ref["shape"], here):
            if not (in_path and what == "short"):
                yield way, what, v, words
        below = m["shapes"][ref["shape"]]
        if below["type"] == "structure":
            yield from walk(m, ref["shape"], here, way)
        elif below["type"] == "list" and m["shapes"][below["member"]["shape"]]["type"] == "structure":
            yield from walk(m, below["member"]["shape"], here + ".1.member", way + [0])


def put(into, way, v):
    for k in way[:-1]:
        into = into[k]
    if v is None:
        del into[way[-1]]
    else:
        into[way[-1]] = v


cases, operations = 0, 0
for client, m in models:
    for name, o in sorted(m["operations"].items()):
        operations += 1
        call = getattr(client, snake(name))
        for whole in (True, False):
            try:
                call(**sample(m, o["input"]["shape"], whole))
            except ClientError as e:
                said = e.response["Error"]
                check("%s: legal input" % name, "validation error" not in said["Message"] and said["Code"] not in ("SerializationException", "UnknownOperationException", "InternalFailure", "InternalServerException"), said)
        for way, what, v, words in walk(m, o["input"]["shape"], "", []):
            asked = sample(m, o["input"]["shape"], True)
            put(asked, way, v)
            cases += 1
            what = "%s: %s %s" % (name, "/".join(map(str, way)), what)
            try:
                check(what + " was not refused", False, call(**asked))
            except ClientError as e:
                said = e.response["Error"]
                check(what, said["Code"] == "ValidationException" and said["Message"].startswith("1 validation error detected: Value ") and words in said["Message"], said, words)
check("the walk over the models", operations == 34 and cases > 450, operations, cases)

# --- whoever may do nothing may call nothing, and is told which resource it was
iam.create_user(UserName="stranger")
key = iam.create_access_key(UserName="stranger")["AccessKey"]
theirs = dict(aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"], config=loose)
for client, m, service in ((boto3.client("sagemaker", **theirs), models[0][1], "sagemaker"), (boto3.client("sagemaker-a2i-runtime", **theirs), models[1][1], "a2i")):
    for name, o in sorted(m["operations"].items()):
        asked = sample(m, o["input"]["shape"], False)
        try:
            getattr(client, snake(name))(**asked)
            check("%s by a stranger" % name, False)
        except ClientError as e:
            said = e.response["Error"]
            wanted = "user/stranger is not authorized to perform: sagemaker:%s on resource: " % name
            check("%s by a stranger" % name, said["Code"] == "AccessDeniedException" and wanted in said["Message"] and
                  (name.startswith("List") or name == "RenderUiTemplate" or "on resource: arn:aws" in said["Message"]), said)

# --- pages end, and a token is good for its own list only
for client, m in models:
    for name in sorted(m["x-paginators"]):
        asked = dict(sample(m, m["operations"][name]["input"]["shape"], False), NextToken="bm9uc2Vuc2U")
        asked.update({k: v for k, v in (("WorkteamArn", team), ("ResourceArn", team)) if k in asked})
        if name == "ListHumanLoops":
            continue  # its flow definition comes first; see below
        if name == "ListSubscribedWorkteams":
            equal("no subscriptions", client.list_subscribed_workteams()["SubscribedWorkteams"], [])
            continue
        fails("%s: a token of nothing" % name, "ValidationException", "NextToken", getattr(client, snake(name)), **asked)
fails("no subscription", "ValidationException", "The work team", sm.describe_subscribed_workteam, WorkteamArn=arn + "workteam/vendor-crowd/abc")

# --- human task UIs
template = open(sys.argv[3]).read()
import hashlib, urllib.request, urllib.error
for i in range(5):
    equal("UI", sm.create_human_task_ui(HumanTaskUiName="ui-%d" % i, UiTemplate={"Content": template},
          Tags=[{"Key": "n", "Value": str(i)}])["HumanTaskUiArn"], arn + "human-task-ui/ui-%d" % i)
raises("UI twice", sm.exceptions.ResourceInUse, sm.create_human_task_ui, HumanTaskUiName="ui-1", UiTemplate={"Content": template})
fails("a broken template", "ValidationException", "UiTemplate.Content", sm.create_human_task_ui, HumanTaskUiName="x", UiTemplate={"Content": "{% if %}"})
raises("no UI", sm.exceptions.ResourceNotFound, sm.describe_human_task_ui, HumanTaskUiName="none")
raises("delete no UI", sm.exceptions.ResourceNotFound, sm.delete_human_task_ui, HumanTaskUiName="none")
d = sm.describe_human_task_ui(HumanTaskUiName="ui-0")
equal("digest", d["UiTemplate"]["ContentSha256"], hashlib.sha256(template.encode()).hexdigest())
equal("status", (d["HumanTaskUiName"], d["HumanTaskUiStatus"]), ("ui-0", "Active"))
equal("its link", urllib.request.urlopen(d["UiTemplate"]["Url"]).read().decode(), template)
try:
    urllib.request.urlopen(d["UiTemplate"]["Url"].replace("ui-0?", "ui-1?"))
    check("a link for another template", False)
except urllib.error.HTTPError as e:
    equal("a link for another template", e.code, 403)
uis = lambda **kw: [u["HumanTaskUiName"] for p in sm.get_paginator("list_human_task_uis").paginate(PaginationConfig={"PageSize": 2}, **kw) for u in p["HumanTaskUiSummaries"]]
equal("UIs", uis(), ["ui-%d" % i for i in range(5)])
equal("UIs, backwards", uis(SortOrder="Descending"), ["ui-%d" % i for i in reversed(range(5))])
equal("UIs of the future", uis(CreationTimeAfter=time.time() + 60), [])
equal("tags", sm.list_tags(ResourceArn=arn + "human-task-ui/ui-3")["Tags"], [{"Key": "n", "Value": "3"}])
sm.delete_human_task_ui(HumanTaskUiName="ui-3")
fails("its tags went with it", "ResourceNotFound", "does not exist", sm.list_tags, ResourceArn=arn + "human-task-ui/ui-3")
fails("tags of an unknown kind", "ResourceNotFound", "does not exist", sm.list_tags, ResourceArn=arn + "human-loop/x")
r = sm.render_ui_template(HumanTaskUiArn=arn + "human-task-ui/ui-0", Task={"Input": json.dumps({"original_words": "a < b", "picture": "s3://input/x.jpg"})}, RoleArn=role)
check("rendered", "a &lt; b" in r["RenderedContent"] and not r["Errors"], r)
raises("render no UI", sm.exceptions.ResourceNotFound, sm.render_ui_template, HumanTaskUiArn=arn + "human-task-ui/none", Task={"Input": "{}"}, RoleArn=role)


# --- flow definitions
def flow(name, human={}, **more):
    out = dict(FlowDefinitionName=name, RoleArn=role, OutputConfig={"S3OutputPath": "s3://output/reviews"},
               HumanLoopConfig=dict({"WorkteamArn": team, "HumanTaskUiArn": arn + "human-task-ui/ui-0", "TaskTitle": "Correct a transcript",
                                     "TaskDescription": "What is said?", "TaskCount": 1, "TaskTimeLimitInSeconds": 600, "TaskKeywords": ["words"]}, **human))
    out.update(more)
    return out


def await_flow(name, status):
    for _ in range(300):
        try:
            got = sm.describe_flow_definition(FlowDefinitionName=name)
        except sm.exceptions.ResourceNotFound:
            got = {"FlowDefinitionStatus": "gone"}
        if got["FlowDefinitionStatus"] == status:
            return got
        time.sleep(0.1)
    check("%s becomes %s" % (name, status), False, got)
    return got


conditions = {"HumanLoopActivationConditionsConfig": {"HumanLoopActivationConditions": json.dumps({"Conditions": [
    {"ConditionType": "Sampling", "ConditionParameters": {"RandomSamplingPercentage": 5}}]})}}
source = {"AwsManagedHumanLoopRequestSource": "AWS/Textract/AnalyzeDocument/Forms/V1"}
asked = flow("transcripts", Tags=[{"Key": "a", "Value": "b"}])
equal("flow", sm.create_flow_definition(**asked)["FlowDefinitionArn"], arn + "flow-definition/transcripts")
sm.create_flow_definition(**flow("forms", HumanLoopRequestSource=source, HumanLoopActivationConfig=conditions))
raises("flow twice", sm.exceptions.ResourceInUse, sm.create_flow_definition, **flow("forms"))
d = await_flow("transcripts", "Active")
equal("echoed", {k: d[k] for k in asked if k != "Tags"}, {k: asked[k] for k in asked if k != "Tags"})
equal("its tags", sm.list_tags(ResourceArn=d["FlowDefinitionArn"])["Tags"], asked["Tags"])
d = await_flow("forms", "Active")
equal("echoed too", (d["HumanLoopRequestSource"], d["HumanLoopActivationConfig"]), (source, conditions))
for what, text, kw in (
        ("no reviewers", "HumanLoopConfig is required", {k: v for k, v in flow("x").items() if k != "HumanLoopConfig"}),
        ("no team", "does not exist", flow("x", {"WorkteamArn": arn + "workteam/private-crowd/nobody"})),
        ("vendor's team", "HumanLoopConfig.WorkteamArn", flow("x", {"WorkteamArn": arn + "workteam/vendor-crowd/abc"})),
        ("no UI", "HumanLoopConfig.HumanTaskUiArn", flow("x", {"HumanTaskUiArn": arn + "human-task-ui/none"})),
        ("nine hours", "HumanLoopConfig.TaskTimeLimitInSeconds", flow("x", {"TaskTimeLimitInSeconds": 9 * 3600})),
        ("four workers", "less than or equal to 3", flow("x", {"TaskCount": 4})),
        ("no place", "OutputConfig.S3OutputPath", flow("x", OutputConfig={"S3OutputPath": "https://example.org/x"})),
        ("conditions of nobody", "HumanLoopRequestSource", flow("x", HumanLoopActivationConfig=conditions)),
        ("no conditions", "HumanLoopActivationConditions", flow("x", HumanLoopRequestSource=source, HumanLoopActivationConfig={
            "HumanLoopActivationConditionsConfig": {"HumanLoopActivationConditions": "{"}})),
        ("reserved tag", "reserved", flow("x", Tags=[{"Key": "aws:x", "Value": "y"}])),
):
    fails(what, "ValidationException", text, sm.create_flow_definition, **kw)
raises("no flow", sm.exceptions.ResourceNotFound, sm.describe_flow_definition, FlowDefinitionName="none")
raises("delete no flow", sm.exceptions.ResourceNotFound, sm.delete_flow_definition, FlowDefinitionName="none")
sm.create_flow_definition(**flow("unwritable", OutputConfig={"S3OutputPath": "s3://no-such-bucket/"}))
d = await_flow("unwritable", "Failed")
check("says why", "no-such-bucket" in d["FailureReason"], d)
sm.create_flow_definition(**flow("forbidden", OutputConfig={"S3OutputPath": "s3://input/reviews"}))
d = await_flow("forbidden", "Failed")
check("says what is missing", "s3:PutObject" in d["FailureReason"], d)
flows = lambda **kw: [f["FlowDefinitionName"] for p in sm.get_paginator("list_flow_definitions").paginate(PaginationConfig={"PageSize": 3}, **kw) for f in p["FlowDefinitionSummaries"]]
equal("flows", flows(SortOrder="Descending"), ["forbidden", "unwritable", "forms", "transcripts"])
equal("old flows", flows(CreationTimeBefore=1), [])
for name in ("forbidden", "unwritable"):
    sm.delete_flow_definition(FlowDefinitionName=name)
equal("flows without the failed", flows(), ["transcripts", "forms"])
equal("none of them is a labeling job", sm.list_labeling_jobs()["LabelingJobSummaryList"], [])
fails("their team is at work", "ResourceInUse", "has not ended", sm.delete_workteam, WorkteamName="team")
iam.put_user_policy(UserName="stranger", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*", "Condition": {"StringEqualsIfExists": {"sagemaker:WorkteamType": "private-crowd"}}}]}))
time.sleep(1.5)  # the change reaches every replica within a second
stranger = boto3.client("sagemaker", **theirs)
fails("the role is not theirs to pass", "AccessDeniedException", "iam:PassRole on resource: " + role, stranger.create_flow_definition, **flow("x"))
fails("nor to render with", "AccessDeniedException", "iam:PassRole on resource: " + role, stranger.render_ui_template,
      HumanTaskUiArn=arn + "human-task-ui/ui-0", Task={"Input": "{}"}, RoleArn=role)
fails("a condition on the team's kind", "AccessDeniedException", "sagemaker:CreateFlowDefinition", stranger.create_flow_definition, **flow("x", {"WorkteamArn": arn + "workteam/vendor-crowd/abc"}))

# --- human loops
transcripts = arn + "flow-definition/transcripts"
start = lambda name, data, **kw: a2i.start_human_loop(HumanLoopName=name, FlowDefinitionArn=kw.pop("flow", transcripts), HumanLoopInput={"InputContent": data}, **kw)
words = json.dumps({"original_words": "but definitely use Lambda", "start_time": 948.51, "picture": "s3://input/picture.jpg"})
for i in range(5):
    equal("loop", start("loop-%d" % i, words, DataAttributes={"ContentClassifiers": ["FreeOfAdultContent"]})["HumanLoopArn"], arn + "human-loop/loop-%d" % i)
start("loop-1", words, DataAttributes={"ContentClassifiers": ["FreeOfAdultContent"]})
raises("the same name, another input", a2i.exceptions.ConflictException, start, name="loop-1", data="{}")
fails("no flow", "ValidationException", "FlowDefinitionArn", start, name="x", data="{}", flow=arn + "flow-definition/none")
fails("another account's", "ValidationException", "FlowDefinitionArn", start, name="x", data="{}", flow="arn:aws:sagemaker:%s:999999999999:flow-definition/transcripts" % region)
for data in ("", "[]", "{", "7"):
    fails("input %r" % data, "ValidationException", "HumanLoopInput.InputContent", start, name="x", data=data)
start("huge", json.dumps({"original_words": "x" * 3145000, "picture": "s3://input/picture.jpg"}))
d = a2i.describe_human_loop(HumanLoopName="loop-0")
at = d["CreationTime"].astimezone(datetime.timezone.utc)
equal("loop described", (d["HumanLoopStatus"], d["HumanLoopArn"], d["FlowDefinitionArn"], d["HumanLoopOutput"]["OutputS3Uri"]),
      ("InProgress", arn + "human-loop/loop-0", transcripts, "s3://output/reviews/transcripts/%s/loop-0/output.json" % at.strftime("%Y/%m/%d/%H/%M/%S")))
loops = lambda **kw: [l["HumanLoopName"] for p in a2i.get_paginator("list_human_loops").paginate(FlowDefinitionArn=transcripts, PaginationConfig={"PageSize": 2}, **kw) for l in p["HumanLoopSummaries"]]
equal("loops", loops(), ["loop-%d" % i for i in range(5)] + ["huge"])
equal("loops, backwards", loops(SortOrder="Descending"), ["huge"] + ["loop-%d" % i for i in reversed(range(5))])
equal("old loops", loops(CreationTimeBefore="2020-02-24"), [])
equal("new loops", len(loops(CreationTimeAfter=datetime.datetime(2020, 2, 24))), 6)
for what, kw in (("a token of nothing", {"NextToken": "bm9uc2Vuc2U"}),
                 ("of another order", {"NextToken": a2i.list_human_loops(FlowDefinitionArn=transcripts, MaxResults=1)["NextToken"], "SortOrder": "Descending"})):
    fails(what, "ValidationException", "NextToken", a2i.list_human_loops, FlowDefinitionArn=transcripts, **kw)
for what, call, kw in (("describe", a2i.describe_human_loop, {}), ("stop", a2i.stop_human_loop, {}), ("delete", a2i.delete_human_loop, {})):
    raises("%s nothing" % what, a2i.exceptions.ResourceNotFoundException, call, HumanLoopName="none")
raises("loops of nothing", a2i.exceptions.ResourceNotFoundException, a2i.list_human_loops, FlowDefinitionArn=arn + "flow-definition/none")


def await_loop(name, status):
    for _ in range(300):
        got = a2i.describe_human_loop(HumanLoopName=name)
        if got["HumanLoopStatus"] == status:
            return got
        time.sleep(0.1)
    check("%s becomes %s" % (name, status), False, got)
    return got


fails("in progress", "ValidationException", "Stop it first", a2i.delete_human_loop, HumanLoopName="huge")
for name in ["huge"] + ["loop-%d" % i for i in range(1, 5)]:
    a2i.stop_human_loop(HumanLoopName=name)
await_loop("huge", "Stopped")
a2i.delete_human_loop(HumanLoopName="huge")
raises("gone", a2i.exceptions.ResourceNotFoundException, a2i.describe_human_loop, HumanLoopName="huge")
start("unshown", json.dumps({"picture": " "}))
d = await_loop("unshown", "Failed")
check("why", d["FailureCode"] == "ValidationError" and "InvalidParameters" in d["FailureReason"] and "HumanLoopOutput" not in d, d)
start("form", words, flow=arn + "flow-definition/forms")
sm.delete_flow_definition(FlowDefinitionName="forms")
await_flow("forms", "gone")
raises("its loop went with it", a2i.exceptions.ResourceNotFoundException, a2i.describe_human_loop, HumanLoopName="form")
wrong = boto3.client("sagemaker-a2i-runtime", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key="guess", config=loose)
fails("wrong secret", "InvalidSignatureException", "signature", wrong.describe_human_loop, HumanLoopName="loop-0")
print("%d operations, %d constraints broken" % (operations, cases), file=sys.stderr)
finish()
