# A streaming labeling job whose input topic hears of pictures in the input bucket.
import json, boto3, time

sns, sqs, iam, sm, s3 = (boto3.client(n) for n in ("sns", "sqs", "iam", "sagemaker", "s3"))
inp = "arn:aws:sns:us-east-1:000000000000:pictures"
iam.put_role_policy(RoleName="GroundTruthExecution", PolicyName="topics", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["sqs:CreateQueue", "sqs:ReceiveMessage"], "Resource": "arn:aws:sqs:*:*:GroundTruth-*"},
    {"Effect": "Allow", "Action": ["sns:Subscribe", "sns:Unsubscribe"], "Resource": inp}]}))
s3.put_object(Bucket="output", Key="labels.json", Body=json.dumps({"document-version": "2018-11-28", "labels": [{"label": "cat"}, {"label": "dog"}]}))
iam.put_role_policy(RoleName="GroundTruthExecution", PolicyName="labels", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::output/labels.json"}]}))
f = "arn:aws:lambda:us-east-1:432418664414:function:"
sm.create_labeling_job(LabelingJobName="pictures", LabelAttributeName="animal", InputConfig={"DataSource": {"SnsDataSource": {"SnsTopicArn": inp}}},
    OutputConfig={"S3OutputPath": "s3://output/"}, RoleArn="arn:aws:iam::000000000000:role/GroundTruthExecution", LabelCategoryConfigS3Uri="s3://output/labels.json",
    HumanTaskConfig={"WorkteamArn": sm.describe_workteam(WorkteamName="team")["Workteam"]["WorkteamArn"], "UiConfig": {}, "PreHumanTaskLambdaArn": f + "PRE-ImageMultiClass",
                     "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": f + "ACS-ImageMultiClass"}, "TaskTitle": "Which animal", "TaskDescription": "d",
                     "NumberOfHumanWorkersPerDataObject": 1, "TaskTimeLimitInSeconds": 300})
for _ in range(120):
    d = sm.describe_labeling_job(LabelingJobName="pictures")
    if d["LabelingJobStatus"] != "Initializing":
        break
    time.sleep(0.25)
assert d["LabelingJobStatus"] == "InProgress", (d["LabelingJobStatus"], d.get("FailureReason"))
