# Makes a job under quality control: 8 pictures and 6 gold questions, whose
# names tell nothing. Prints which are gold.
import json, random, sys, boto3

picture, region, account = sys.argv[1:4]
s3, sm = boto3.client("s3"), boto3.client("sagemaker")
random.seed(7)
numbers = random.sample(range(1000, 9999), 14)
for n in numbers:
    s3.upload_file(picture, "input", "birds/p-%d.jpg" % n, ExtraArgs={"ContentType": "image/jpeg"})
ordinary, gold = numbers[:8], numbers[8:]
line = lambda n: {"source-ref": "s3://input/birds/p-%d.jpg" % n, "season": "autumn"}
put = lambda key, lines: s3.put_object(Bucket="input", Key=key, Body="\n".join(json.dumps(l) for l in lines) + "\n")
put("birds.manifest", [line(n) for n in ordinary])
put("gold.manifest", [dict(line(n), bird=0, **{"bird-metadata": {"class-name": "owl"}}) for n in gold])
put("labels.json", [{"document-version": "2018-11-28", "labels": [{"label": "owl"}, {"label": "jay"}]}])
rule = {"Name": "guessing", "Collector": "GoldAccuracy", "Window": 10, "MinCount": 2, "Below": 0.8,
        "Actions": [{"Type": "ExcludeWorker"}, {"Type": "RequeueAnswers"}, {"Type": "Notify"}]}
config = lambda **more: s3.put_object(Bucket="input", Key="quality.json", Body=json.dumps({"Version": "2026-11-01",
    "Gold": {"ManifestS3Uri": "s3://input/gold.manifest", "LabelAttributeName": "bird", "OneTaskIn": 3}, "Rules": [rule], **more}))
lam = "arn:aws:lambda:%s:432418664414:function:" % region

def create(name):
    sm.create_labeling_job(
        LabelingJobName=name, LabelAttributeName="species",
        InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://input/birds.manifest"}}},
        OutputConfig={"S3OutputPath": "s3://output/"}, RoleArn="arn:aws:iam::%s:role/GroundTruthExecution" % account,
        LabelCategoryConfigS3Uri="s3://input/labels.json", Tags=[{"Key": "fiducial:QualityConfigS3Uri", "Value": "s3://input/quality.json"}],
        HumanTaskConfig={
            "WorkteamArn": "arn:aws:sagemaker:%s:%s:workteam/private-crowd/team" % (region, account), "UiConfig": {},
            "PreHumanTaskLambdaArn": lam + "PRE-ImageMultiClass", "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": lam + "ACS-ImageMultiClass"},
            "TaskTitle": "Birds", "TaskDescription": "Which bird", "NumberOfHumanWorkersPerDataObject": 1, "TaskTimeLimitInSeconds": 600})

refusals = []
for more in ({"Overlap": {"MinWorkers": 1, "MinAgreement": 0.9}}, {"Rules": [dict(rule, Below=7)]}):
    config(**more)
    try:
        create("birds")
    except sm.exceptions.ClientError as e:
        refusals.append(str(e))
config()
create("birds")
try:
    sm.add_tags(ResourceArn=sm.describe_labeling_job(LabelingJobName="birds")["LabelingJobArn"], Tags=[{"Key": "fiducial:QualityConfigS3Uri", "Value": "s3://input/other.json"}])
except sm.exceptions.ClientError as e:
    refusals.append(str(e))
print(json.dumps({"Gold": ["p-%d" % n for n in gold], "Ordinary": ["p-%d" % n for n in ordinary], "Refusals": refusals}))
