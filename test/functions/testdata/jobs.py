# Makes the jobs of the test. Argument: the prefix of function ARNs.
import json
import sys

import boto3

prefix = sys.argv[1]
s3, iam, sm = (boto3.client(n) for n in ("s3", "iam", "sagemaker"))
account = boto3.client("sts").get_caller_identity()["Account"]
role = "arn:aws:iam::%s:role/GroundTruthExecution" % account
# The role's session, which functions have, may assume the role as samples do.
iam.update_assume_role_policy(RoleName="GroundTruthExecution", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"},
    {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "sts:AssumeRole"}]}))
iam.put_role_policy(RoleName="GroundTruthExecution", PolicyName="functions", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": prefix + "team-*"}]}))
s3.put_object(Bucket="input", Key="template.html", Body="""<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><p>{{ task.input.hint }}</p><crowd-classifier name="mood" categories="['good', 'bad']" header="{{ task.input.taskObject }}">
<classification-target>{{ task.input.taskObject }}</classification-target></crowd-classifier></crowd-form>""")


def job(name, pre, post, texts, workers=2):
    s3.put_object(Bucket="input", Key=name + ".manifest", Body="".join(json.dumps({"source": t}) + "\n" for t in texts))
    sm.create_labeling_job(
        LabelingJobName=name, LabelAttributeName="label", RoleArn=role,
        InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://input/%s.manifest" % name}}},
        OutputConfig={"S3OutputPath": "s3://output/"},
        HumanTaskConfig={
            "WorkteamArn": "arn:aws:sagemaker:%s:%s:workteam/private-crowd/team" % (s3.meta.region_name, account),
            "UiConfig": {"UiTemplateS3Uri": "s3://input/template.html"}, "PreHumanTaskLambdaArn": prefix + pre,
            "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": prefix + post},
            "TaskTitle": "Moods", "TaskDescription": "Read", "NumberOfHumanWorkersPerDataObject": workers, "TaskTimeLimitInSeconds": 600})


try:
    job("refused", "nobody-runs-this", "team-post", ["x"])
    print("the job was accepted")
except sm.exceptions.ClientError as e:
    print(e.response["Error"]["Code"] + ": " + e.response["Error"]["Message"])
job("local", "team-pre", "team-post", ["first", "nothing to see", "broken", "last"])
job("remote", "team-http-pre", "team-lambda-post", ["over the wire"], 1)
job("denied", "other-pre", "team-post", ["x"])
