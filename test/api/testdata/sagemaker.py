# Workforces, work teams, labeling jobs, templates and tags, with boto3.
pool = idp.create_user_pool(PoolName="workers")["UserPool"]["Id"]
client = idp.create_user_pool_client(UserPoolId=pool, ClientName="portal")["UserPoolClient"]["ClientId"]
idp.create_group(UserPoolId=pool, GroupName="birds")
member = [{"CognitoMemberDefinition": {"UserPool": pool, "UserGroup": "birds", "ClientId": client}}]
arn = "arn:aws:sagemaker:%s:%s:" % (region, account)

# --- workforce
equal("none yet", sm.list_workforces()["Workforces"], [])
fails("describe none", "ValidationException", "No workforce", sm.describe_workforce, WorkforceName="People")
fails("team without a workforce", "ValidationException", "No workforce", sm.create_workteam, WorkteamName="t", Description="d", MemberDefinitions=member)
fails("OIDC is not here", "ValidationException", "OidcConfig", sm.create_workforce, WorkforceName="p", OidcConfig={k: "https://x" for k in
      ("ClientId", "ClientSecret", "Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint", "LogoutEndpoint", "JwksUri")})
fails("nobody's pool", "ValidationException", "does not exist", sm.create_workforce, WorkforceName="p", CognitoConfig={"UserPool": region + "_none00000", "ClientId": client})
equal("created", sm.create_workforce(WorkforceName="People", CognitoConfig={"UserPool": pool, "ClientId": client},
      Tags=[{"Key": "team", "Value": "red"}])["WorkforceArn"], arn + "workforce/people")
w = sm.describe_workforce(WorkforceName="people")["Workforce"]
equal("described", (w["WorkforceName"], w["Status"], w["SourceIpConfig"], w["CognitoConfig"], w["IpAddressType"]),
      ("People", "Active", {"Cidrs": []}, {"UserPool": pool, "ClientId": client}, "ipv4"))
check("portal", w["SubDomain"], w)
equal("listed", sm.list_workforces(NameContains="EOP")["Workforces"], [w])
fails("a second one", "ResourceLimitExceeded", "one private workforce", sm.create_workforce, WorkforceName="p2", CognitoConfig={"UserPool": pool, "ClientId": client})
raises("the same again", sm.exceptions.ResourceInUse, sm.create_workforce, WorkforceName="people", CognitoConfig={"UserPool": pool, "ClientId": client})
fails("its pool stays", "InvalidParameterException", "workforce", idp.delete_user_pool, UserPoolId=pool)
cidrs = ["10.0.0.0/8", "127.0.0.0/8", "2001:db8:1234:1a00::/56", "::1/128"]
w = sm.update_workforce(WorkforceName="People", SourceIpConfig={"Cidrs": cidrs}, IpAddressType="dualstack",
                        WorkforceVpcConfig={"VpcId": "vpc-1", "SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]})["Workforce"]
equal("updated", (w["SourceIpConfig"]["Cidrs"], w["IpAddressType"], w["WorkforceVpcConfig"]),
      (cidrs, "dualstack", {"VpcId": "vpc-1", "SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"], "VpcEndpointId": "vpce-1"}))
equal("updating", w["Status"], "Updating")


def settled():
    for _ in range(100):
        w = sm.describe_workforce(WorkforceName="People")["Workforce"]
        if w["Status"] == "Active":
            return w
        time.sleep(0.1)
    raise Exception("the workforce stays " + w["Status"])


w = settled()
equal("endpoint", w["WorkforceVpcConfig"]["VpcEndpointId"], "vpce-1")
fails("a VPC that is not declared", "ValidationException", "WorkforceVpcConfig.VpcId", sm.update_workforce, WorkforceName="People",
      WorkforceVpcConfig={"VpcId": "vpc-2", "SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]})
w = sm.update_workforce(WorkforceName="People", WorkforceVpcConfig={}, SourceIpConfig={"Cidrs": []})["Workforce"]
check("VPC taken away, addresses too", "WorkforceVpcConfig" not in w and w["SourceIpConfig"] == {"Cidrs": []}, w)
settled()
fails("eleven networks", "ValidationException", "at most 10", sm.update_workforce, WorkforceName="People", SourceIpConfig={"Cidrs": ["10.0.%d.0/24" % i for i in range(11)]})
fails("no network", "ValidationException", "sourceIpConfig.cidrs", sm.update_workforce, WorkforceName="People", SourceIpConfig={"Cidrs": ["10.0.0.1"]})

# --- work teams
equal("team", sm.create_workteam(WorkteamName="Team-A", WorkforceName="People", Description="first", MemberDefinitions=member,
      NotificationConfiguration={"NotificationTopicArn": "arn:aws:sns:%s:%s:topic" % (region, account)},
      WorkerAccessConfiguration={"S3Presign": {"IamPolicyConstraints": {"SourceIp": "Enabled"}}},
      Tags=[{"Key": "a", "Value": "1"}])["WorkteamArn"], arn + "workteam/private-crowd/team-a")
t = sm.describe_workteam(WorkteamName="team-a")["Workteam"]
equal("described team", (t["WorkteamName"], t["Description"], t["MemberDefinitions"], t["WorkforceArn"], t["NotificationConfiguration"], t["WorkerAccessConfiguration"]),
      ("Team-A", "first", member, arn + "workforce/people", {"NotificationTopicArn": "arn:aws:sns:%s:%s:topic" % (region, account)},
       {"S3Presign": {"IamPolicyConstraints": {"SourceIp": "Enabled"}}}))
both = {"S3Presign": {"IamPolicyConstraints": {"SourceIp": "Enabled", "VpcSourceIp": "Enabled"}}}
t = sm.update_workteam(WorkteamName="team-a", Description="second", WorkerAccessConfiguration=both)["Workteam"]
equal("updated team", (t["Description"], t["WorkerAccessConfiguration"], t["MemberDefinitions"]), ("second", both, member))
sm.create_workteam(WorkteamName="plain", Description="d", MemberDefinitions=member)
check("nothing set, nothing echoed", "WorkerAccessConfiguration" not in sm.describe_workteam(WorkteamName="plain")["Workteam"])
fails("no such team", "ValidationException", "The work team", sm.describe_workteam, WorkteamName="nobody")
fails("delete no such team", "ValidationException", "The work team", sm.delete_workteam, WorkteamName="nobody")
fails("update no such team", "ValidationException", "The work team", sm.update_workteam, WorkteamName="nobody", Description="d")
raises("team twice", sm.exceptions.ResourceInUse, sm.create_workteam, WorkteamName="TEAM-A", Description="d", MemberDefinitions=member)
fails("no such group", "ValidationException", "no group dogs", sm.create_workteam, WorkteamName="x", Description="d",
      MemberDefinitions=[{"CognitoMemberDefinition": dict(member[0]["CognitoMemberDefinition"], UserGroup="dogs")}])
fails("OIDC member", "ValidationException", "OidcMemberDefinition", sm.create_workteam, WorkteamName="x", Description="d", MemberDefinitions=[{"OidcMemberDefinition": {"Groups": ["g"]}}])
fails("no members", "ValidationException", "1 validation error detected: Value '[]' at 'memberDefinitions'", sm.create_workteam, WorkteamName="x", Description="d", MemberDefinitions=[])
fails("workforce in use", "ResourceInUse", "2 work teams", sm.delete_workforce, WorkforceName="People")
for i in range(23):
    sm.create_workteam(WorkteamName="t%02d" % i, Description="d", MemberDefinitions=member)
raises("the 26th", sm.exceptions.ResourceLimitExceeded, sm.create_workteam, WorkteamName="z", Description="d", MemberDefinitions=member)
for kw, want in (({}, ["Team-A", "plain"] + ["t%02d" % i for i in range(23)]),
                 ({"SortBy": "Name"}, ["plain"] + ["t%02d" % i for i in range(23)] + ["Team-A"]),
                 ({"SortBy": "Name", "SortOrder": "Descending"}, ["Team-A"] + ["t%02d" % i for i in reversed(range(23))] + ["plain"]),
                 ({"SortOrder": "Descending", "NameContains": "T0"}, ["t%02d" % i for i in reversed(range(10))])):
    got = [t["WorkteamName"] for p in sm.get_paginator("list_workteams").paginate(PaginationConfig={"PageSize": 7}, **kw) for t in p["Workteams"]]
    equal("teams %s" % kw, got, want)
first = sm.list_workteams(MaxResults=2)
fails("token with other filters", "ValidationException", "NextToken", sm.list_workteams, MaxResults=2, NextToken=first["NextToken"], SortBy="Name")
equal("no subscriptions", sm.list_subscribed_workteams()["SubscribedWorkteams"], [])
for i in range(23):
    check("deleted", sm.delete_workteam(WorkteamName="t%02d" % i)["Success"])

# --- tags
equal("tags of a team", sm.list_tags(ResourceArn=arn + "workteam/private-crowd/team-a")["Tags"], [{"Key": "a", "Value": "1"}])
equal("all tags come back", sm.add_tags(ResourceArn=arn + "workteam/private-crowd/team-a", Tags=[{"Key": "b", "Value": ""}, {"Key": "a", "Value": "2"}])["Tags"],
      [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}])
sm.delete_tags(ResourceArn=arn + "workteam/private-crowd/team-a", TagKeys=["a", "zzz"])
equal("one left", sm.list_tags(ResourceArn=arn + "workteam/private-crowd/team-a")["Tags"], [{"Key": "b", "Value": ""}])
fails("tags of nothing", "ResourceNotFound", "does not exist", sm.list_tags, ResourceArn=arn + "workteam/private-crowd/nobody")
fails("tags of another account", "ResourceNotFound", "does not exist", sm.list_tags, ResourceArn="arn:aws:sagemaker:%s:999999999999:workteam/private-crowd/team-a" % region)
fails("too small a page", "ValidationException", "'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 50",
      sm.list_tags, ResourceArn=arn + "workteam/private-crowd/team-a", MaxResults=10)
fails("reserved", "ValidationException", "reserved", sm.add_tags, ResourceArn=arn + "workteam/private-crowd/team-a", Tags=[{"Key": "aws:x", "Value": "1"}])
fails("51 tags", "ResourceLimitExceeded", "at most 50", sm.add_tags, ResourceArn=arn + "workteam/private-crowd/team-a",
      Tags=[{"Key": "k%d" % i, "Value": "v"} for i in range(50)])
equal("and none of them stayed", len(sm.list_tags(ResourceArn=arn + "workteam/private-crowd/team-a")["Tags"]), 1)

# --- labeling jobs
role = "arn:aws:iam::%s:role/execution" % account
iam.create_role(RoleName="execution", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
iam.put_role_policy(RoleName="execution", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::data", "arn:aws:s3:::data/*"]}]}))
s3.create_bucket(Bucket="data")
s3.put_object(Bucket="data", Key="in.manifest", Body="".join('{"source":"text %d"}\n' % i for i in range(3)))
s3.put_object(Bucket="data", Key="labels.json", Body='{"document-version":"2018-11-28","labels":[{"label":"a"},{"label":"b"}]}')
s3.put_object(Bucket="data", Key="picture.jpg", Body=b"not really a picture")
team = arn + "workteam/private-crowd/team-a"


def job(name, human={}, **more):
    lam = "arn:aws:lambda:eu-west-1:568282634449:function:"  # the account and region in it say nothing
    out = dict(LabelingJobName=name, LabelAttributeName="mood", RoleArn=role,
               InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://data/in.manifest"}}},
               OutputConfig={"S3OutputPath": "s3://data/out/"}, LabelCategoryConfigS3Uri="s3://data/labels.json",
               HumanTaskConfig=dict({"WorkteamArn": team, "UiConfig": {}, "PreHumanTaskLambdaArn": lam + "PRE-TextMultiClass",
                                     "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": lam + "ACS-TextMultiClass"},
                                     "TaskTitle": "Mood", "TaskDescription": "How does it sound?", "TaskKeywords": ["mood"],
                                     "NumberOfHumanWorkersPerDataObject": 1, "TaskTimeLimitInSeconds": 600}, **human))
    out.update(more)
    return out


asked = job("Mood-1", Tags=[{"Key": "project", "Value": "moods"}], StoppingConditions={"MaxPercentageOfInputDatasetLabeled": 100})
equal("job", sm.create_labeling_job(**asked)["LabelingJobArn"], arn + "labeling-job/mood-1")
d = sm.describe_labeling_job(LabelingJobName="mood-1")
equal("echoed", {k: d[k] for k in ("LabelingJobName", "LabelAttributeName", "RoleArn", "InputConfig", "LabelCategoryConfigS3Uri", "StoppingConditions", "HumanTaskConfig", "Tags")},
      {k: asked[k] for k in ("LabelingJobName", "LabelAttributeName", "RoleArn", "InputConfig", "LabelCategoryConfigS3Uri", "StoppingConditions", "HumanTaskConfig", "Tags")})
equal("output", d["OutputConfig"], {"S3OutputPath": "s3://data/out/", "KmsKeyId": ""})
check("reference", d["JobReferenceCode"].startswith(account), d["JobReferenceCode"])
for name in ("Mood-1", "MOOD-1"):
    raises("job twice", sm.exceptions.ResourceInUse, sm.create_labeling_job, **job(name))
raises("no such job", sm.exceptions.ResourceNotFound, sm.describe_labeling_job, LabelingJobName="none")
raises("stop no such job", sm.exceptions.ResourceNotFound, sm.stop_labeling_job, LabelingJobName="none")
for what, text, asked in (
        ("attribute", "LabelAttributeName", job("x", LabelAttributeName="mood-metadata")),
        ("attribute", "LabelAttributeName", job("x", LabelAttributeName="source")),
        ("attribute", "LabelAttributeName", job("x", LabelAttributeName="mood-ref")),
        ("unknown function", "PRE-", job("x", {"PreHumanTaskLambdaArn": "arn:aws:lambda:us-east-1:432418664414:function:PRE-Telepathy"})),
        ("later function", "PRE-VideoObjectTracking", job("x", {"PreHumanTaskLambdaArn": "arn:aws:lambda:us-east-1:432418664414:function:PRE-VideoObjectTracking"})),
        ("later task UI", "HumanTaskUiArn", job("x", {"UiConfig": {"HumanTaskUiArn": "arn:aws:sagemaker:us-east-1:394669845002:human-task-ui/PointCloudObjectDetection"}})),
        ("own function", "does not say how to run arn:aws:lambda:us-east-1:%s:function:mine" % account, job("x", {
            "PreHumanTaskLambdaArn": "arn:aws:lambda:us-east-1:%s:function:mine" % account, "UiConfig": {"UiTemplateS3Uri": "s3://data/t.html"}})),
        ("mixed functions", "does not go with", job("x", {"PreHumanTaskLambdaArn": "arn:aws:lambda:us-east-1:432418664414:function:PRE-BoundingBox"})),
        ("two interfaces", "UiConfig", job("x", {"UiConfig": {"UiTemplateS3Uri": "s3://data/t.html", "HumanTaskUiArn": "arn:aws:sagemaker:us-east-1:394669845002:human-task-ui/x"}})),
        ("no such team", "does not exist", job("x", {"WorkteamArn": arn + "workteam/private-crowd/nobody"})),
        ("vendor team", "WorkteamArn", job("x", {"WorkteamArn": arn + "workteam/vendor-crowd/abc"})),
        ("ten workers", "Value '10' at 'humanTaskConfig.numberOfHumanWorkersPerDataObject' failed to satisfy constraint: Member must have value less than or equal to 9", job("x", {"NumberOfHumanWorkersPerDataObject": 10})),
        ("29 seconds", "humanTaskConfig.taskTimeLimitInSeconds", job("x", {"TaskTimeLimitInSeconds": 29})),
        ("nine hours", "TaskTimeLimitInSeconds", job("x", {"TaskTimeLimitInSeconds": 9 * 3600})),
        ("input topic", "FIFO topics are not supported", job("x", InputConfig={"DataSource": {"SnsDataSource": {"SnsTopicArn": "arn:aws:sns:us-east-1:%s:t.fifo" % account}}})),
        ("output topic alone", "OutputConfig.SnsTopicArn", job("x", OutputConfig={"S3OutputPath": "s3://data/out", "SnsTopicArn": "arn:aws:sns:us-east-1:%s:t" % account})),
        ("long name", "Member must have length less than or equal to 63", job("x" * 64)),
        ("role", "'roleArn'", job("x", RoleArn="execution")),
        ("no title", "Value null at 'humanTaskConfig.taskTitle'", job("x", {"TaskTitle": None})),
        ("reserved tag", "reserved", job("x", Tags=[{"Key": "aws:x", "Value": "y"}])),
):
    fails(what, "ValidationException", text, sm.create_labeling_job, **asked)
raises("and none of them is there", sm.exceptions.ResourceNotFound, sm.describe_labeling_job, LabelingJobName="x")
for i in range(5):
    sm.create_labeling_job(**job("list-%d" % i))
names = lambda **kw: [j["LabelingJobName"] for p in sm.get_paginator("list_labeling_jobs").paginate(PaginationConfig={"PageSize": 2}, **kw) for j in p["LabelingJobSummaryList"]]
equal("by time", names(), ["Mood-1"] + ["list-%d" % i for i in range(5)])
equal("by name, backwards", names(SortBy="Name", SortOrder="Descending"), ["Mood-1"] + ["list-%d" % i for i in reversed(range(5))])
equal("some", names(NameContains="IST-3"), ["list-3"])
equal("none after now", names(CreationTimeAfter=time.time() + 60), [])
equal("all before now", len(names(CreationTimeBefore=time.time() + 60)), 6)
equal("none failed", names(StatusEquals="Failed"), [])
mine = [j for p in sm.get_paginator("list_labeling_jobs_for_workteam").paginate(WorkteamArn=team, PaginationConfig={"PageSize": 4}) for j in p["LabelingJobSummaryList"]]
equal("for the team", ([j["LabelingJobName"] for j in mine], {j["WorkRequesterAccountId"] for j in mine}), (["Mood-1"] + ["list-%d" % i for i in range(5)], {account}))
equal("by reference", [j["LabelingJobName"] for j in sm.list_labeling_jobs_for_workteam(WorkteamArn=team, JobReferenceCodeContains=d["JobReferenceCode"])["LabelingJobSummaryList"]], ["Mood-1"])
raises("for no team", sm.exceptions.ResourceNotFound, sm.list_labeling_jobs_for_workteam, WorkteamArn=arn + "workteam/private-crowd/nobody")
fails("team with jobs", "ResourceInUse", "has not ended", sm.delete_workteam, WorkteamName="team-a")


def await_status(name, want):
    for _ in range(300):
        got = sm.describe_labeling_job(LabelingJobName=name)
        if got["LabelingJobStatus"] == want:
            return got
        time.sleep(0.1)
    check("%s becomes %s" % (name, want), False, got)
    return got


d = await_status("mood-1", "InProgress")
equal("counters", d["LabelCounters"], {"TotalLabeled": 0, "HumanLabeled": 0, "MachineLabeled": 0, "FailedNonRetryableError": 0, "Unlabeled": 3})
for name in ["Mood-1"] + ["list-%d" % i for i in range(5)]:
    check("no output", set(sm.stop_labeling_job(LabelingJobName=name)) == {"ResponseMetadata"})
for name in ["Mood-1"] + ["list-%d" % i for i in range(5)]:
    await_status(name, "Stopped")
sm.create_labeling_job(**job("no-manifest", InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://data/nothing"}}}))
d = await_status("no-manifest", "Failed")
check("says why", "s3://data/nothing" in d.get("FailureReason", ""), d.get("FailureReason"))
equal("team deleted", sm.delete_workteam(WorkteamName="team-a")["Success"], True)
fails("its tags too", "ResourceNotFound", "does not exist", sm.list_tags, ResourceArn=team)

# --- templates
render = lambda content, data, **kw: sm.render_ui_template(UiTemplate={"Content": content}, Task={"Input": json.dumps(data)}, RoleArn=role, **kw)
r = render("<p>{{ task.input.text }}</p>", {"text": "a < b"})
equal("rendered", (r["RenderedContent"], r["Errors"]), ("<p>a &lt; b</p>", []))
r = render("<img src=\"{{ task.input.image | grant_read_access }}\">", {"image": "s3://data/picture.jpg"})
check("a granted URL", "X-Amz-Signature=" in r["RenderedContent"] and not r["Errors"], r)
import urllib.request
url = r["RenderedContent"].split('"')[1]
equal("it opens", urllib.request.urlopen(url).read(), b"not really a picture")
r = render("{{ task.input.image | grant_read_access }}", {"image": " "})
equal("not an S3 URI", [e["Code"] for e in r["Errors"]], ["InvalidParameters"])
r = render("{% if %}", {})
check("a broken template is an answer", r["Errors"] and r["Errors"][0]["Message"], r)
r = sm.render_ui_template(UiTemplate={"Content": "x"}, Task={"Input": "{]"}, RoleArn=role)
check("broken input is an answer", r["Errors"], r)
r = sm.render_ui_template(HumanTaskUiArn="arn:aws:sagemaker:us-east-1:394669845002:human-task-ui/NamedEntityRecognition", RoleArn=role,
                          Task={"Input": json.dumps({"taskObject": "Ada met Bob.", "labels": [{"label": "person", "shortDisplayName": "per"}]})})
check("built-in task UI", "crowd-entity-annotation" in r["RenderedContent"] and "Ada met Bob." in r["RenderedContent"] and r["Errors"] == [], r)
fails("task UI of video frames", "ResourceNotFound", "HumanTaskUiArn", sm.render_ui_template, RoleArn=role, Task={"Input": "{}"},
      HumanTaskUiArn="arn:aws:sagemaker:us-east-1:394669845002:human-task-ui/VideoObjectDetection")
fails("no template", "ValidationException", "UiTemplate", sm.render_ui_template, Task={"Input": "{}"}, RoleArn=role)
fails("both", "ValidationException", "exclude", render, content="x", data={}, HumanTaskUiArn="arn:aws:sagemaker:us-east-1:394669845002:human-task-ui/x")

# --- not built, not known, not permitted
fails("not Ground Truth's", "UnknownOperationException", "no operation", sm.create_model, ModelName="m", ExecutionRoleArn=role)
iam.create_user(UserName="guest")
key = iam.create_access_key(UserName="guest")["AccessKey"]
guest = boto3.client("sagemaker", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"], config=loose)
fails("nothing allowed", "AccessDeniedException", "User: arn:aws:iam::%s:user/guest is not authorized to perform: sagemaker:DescribeWorkforce on resource: %sworkforce/people because no identity-based policy allows the sagemaker:DescribeWorkforce action" % (account, arn),
      guest.describe_workforce, WorkforceName="People")
iam.put_user_policy(UserName="guest", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*", "Condition": {"StringEqualsIfExists": {"sagemaker:WorkteamType": "private-crowd"}}}]}))
time.sleep(1.5)  # the change reaches every replica within a second
check("allowed", guest.describe_workforce(WorkforceName="People")["Workforce"])
fails("the role is not theirs to pass", "AccessDeniedException", "iam:PassRole on resource: " + role, guest.create_labeling_job, **job("x"))
fails("a condition on the team's kind", "AccessDeniedException", "sagemaker:CreateLabelingJob", guest.create_labeling_job, **job("x", {"WorkteamArn": arn + "workteam/vendor-crowd/abc"}))
wrong = boto3.client("sagemaker", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key="guess", config=loose)
fails("wrong secret", "InvalidSignatureException", "signature", wrong.list_workteams)
sm.delete_workteam(WorkteamName="plain")
sm.delete_workforce(WorkforceName="People")
fails("gone", "ValidationException", "No workforce", sm.describe_workforce, WorkforceName="People")
finish()
