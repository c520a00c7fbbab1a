# Makes everything a labeling job needs, with boto3 as a user would. Reads a
# specification as JSON from its first argument, prints what it made as JSON.
import json, sys, boto3

spec = json.loads(sys.argv[1])
s3, iam, sm, idp = (boto3.client(n) for n in ("s3", "iam", "sagemaker", "cognito-idp"))
account = boto3.client("sts").get_caller_identity()["Account"]
region = s3.meta.region_name

for b in ("input", "output"):
    try:
        s3.create_bucket(Bucket=b)
    except (s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):  # or another store keeps it
        pass

# The jobs' input is sealed under the key, and so is what they write.
seal_key = spec.get("KeyID")
if seal_key:
    s3.put_bucket_encryption(Bucket="input", ServerSideEncryptionConfiguration={"Rules": [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": seal_key}}]})

role = "GroundTruthExecution"
try:
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
    if seal_key:
        iam.put_role_policy(RoleName=role, PolicyName="key", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"}]}))
    iam.put_role_policy(RoleName=role, PolicyName="labeling", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::input/*"},
        {"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"], "Resource": "arn:aws:s3:::output/*"},
        {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": ["arn:aws:s3:::input", "arn:aws:s3:::output"]}]}))
except iam.exceptions.EntityAlreadyExistsException:
    pass

if not sm.list_workforces()["Workforces"]:
    pool = idp.create_user_pool(PoolName="workers")["UserPool"]["Id"]
    client = idp.create_user_pool_client(UserPoolId=pool, ClientName="portal")["UserPoolClient"]["ClientId"]
    idp.create_group(UserPoolId=pool, GroupName="annotators")
    for w in spec["Workers"]:
        idp.admin_create_user(UserPoolId=pool, Username=w["Email"], MessageAction="SUPPRESS",
                              UserAttributes=[{"Name": "email", "Value": w["Email"]}, {"Name": "email_verified", "Value": "true"}])
        idp.admin_set_user_password(UserPoolId=pool, Username=w["Email"], Password=w["Password"], Permanent=True)
        idp.admin_add_user_to_group(UserPoolId=pool, Username=w["Email"], GroupName="annotators")
    sm.create_workforce(WorkforceName="workforce", CognitoConfig={"UserPool": pool, "ClientId": client})
    team = {"WorkteamName": "team", "WorkforceName": "workforce", "Description": "people who label",
            "MemberDefinitions": [{"CognitoMemberDefinition": {"UserPool": pool, "UserGroup": "annotators", "ClientId": client}}]}
    if spec.get("SourceIP"):
        team["WorkerAccessConfiguration"] = {"S3Presign": {"IamPolicyConstraints": {"SourceIp": "Enabled"}}}
    sm.create_workteam(**team)

for job in spec.get("Jobs") or []:
    name = job["Name"]
    lines = list(job.get("Lines") or [])
    for i in range(0 if lines else job["Objects"]):
        if job.get("Text"):
            lines.append(json.dumps({"source": "text %d" % i, "id": i}))
            continue
        name_in_bucket = "%s/%d.jpg" % (name, i)
        s3.upload_file(job["Picture"], "input", name_in_bucket, ExtraArgs={"ContentType": "image/jpeg"})
        lines.append(json.dumps({"source-ref": "s3://input/" + name_in_bucket, "id": i}))
    s3.put_object(Bucket="input", Key=name + ".manifest", Body="\n".join(lines) + "\n")
    s3.put_object(Bucket="input", Key=name + ".labels.json", Body=job.get("LabelConfig") or json.dumps(
        {"document-version": "2018-11-28", "labels": [{"label": l} for l in job["Labels"]]}))
    ui = {"HumanTaskUiArn": job["HumanTaskUI"]} if job.get("HumanTaskUI") else {}
    if job.get("Template"):
        s3.put_object(Bucket="input", Key=name + ".liquid.html", Body=job["Template"])
        ui["UiTemplateS3Uri"] = "s3://input/" + name + ".liquid.html"
    lam = "arn:aws:lambda:%s:432418664414:function:" % region
    sm.create_labeling_job(
        LabelingJobName=name, LabelAttributeName=job.get("Attribute") or "label",
        InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://input/%s.manifest" % name}}},
        OutputConfig={"S3OutputPath": "s3://output/", **({"KmsKeyId": seal_key} if seal_key else {})}, RoleArn="arn:aws:iam::%s:role/%s" % (account, role),
        LabelCategoryConfigS3Uri="s3://input/%s.labels.json" % name,
        HumanTaskConfig={
            "WorkteamArn": "arn:aws:sagemaker:%s:%s:workteam/private-crowd/team" % (region, account), "UiConfig": ui,
            "PreHumanTaskLambdaArn": lam + "PRE-" + job["Function"],
            "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": lam + "ACS-" + job["Function"]},
            "TaskTitle": "Title of " + name, "TaskDescription": "Description of " + name,
            "NumberOfHumanWorkersPerDataObject": job["Workers"], "TaskTimeLimitInSeconds": job.get("TimeLimit") or 600})
