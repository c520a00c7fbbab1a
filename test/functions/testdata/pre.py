# A pre-annotation function as one is written for Lambda.
import json


def lambda_handler(event, context):
    print("Received event: " + json.dumps(event, indent=2))
    line = event["dataObject"]
    output = {"taskInput": {"taskObject": line["source"], "hint": "Read " + line["source"].upper()}, "isHumanAnnotationRequired": "true"}
    if "nothing to see" in line["source"]:
        output["isHumanAnnotationRequired"] = "false"
    if "broken" in line["source"]:
        raise ValueError("cannot read " + line["source"])
    return output
