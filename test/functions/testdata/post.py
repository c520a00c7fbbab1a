# A post-annotation function as one is written for Lambda: it reads the answers
# as the job's execution role, which it assumes.
import json
import os
from collections import Counter
from urllib.parse import urlparse

import boto3


def lambda_handler(event, context):
    print("Received event: " + json.dumps(event))
    print(dict(os.environ))
    credentials = boto3.client("sts").assume_role(RoleArn=event["roleArn"], RoleSessionName="consolidate")["Credentials"]
    s3 = boto3.client("s3", aws_access_key_id=credentials["AccessKeyId"], aws_secret_access_key=credentials["SecretAccessKey"],
                      aws_session_token=credentials["SessionToken"])
    url = urlparse(event["payload"]["s3Uri"])
    payload = json.loads(s3.get_object(Bucket=url.netloc, Key=url.path[1:])["Body"].read())
    consolidated = []
    for dataset in payload:
        votes = Counter(json.loads(a["annotationData"]["content"])["mood"]["label"] for a in dataset["annotations"])
        consolidated.append({
            "datasetObjectId": dataset["datasetObjectId"],
            "consolidatedAnnotation": {"content": {event["labelAttributeName"]: {
                "mood": votes.most_common(1)[0][0], "votes": sum(votes.values()), "of": dataset["dataObject"]["content"]}}},
        })
    return consolidated
