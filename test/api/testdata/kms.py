kms = boto3.client("kms")
iam = boto3.client("iam")

def refused(code, f, **kw):
    try:
        f(**kw)
    except botocore.exceptions.ClientError as e:
        got = e.response["Error"]["Code"]
        assert got == code, (code, got, e)
        return e.response["Error"]["Message"]
    raise AssertionError("%s was not refused" % kw)

# Keys and what describes them.
made = kms.create_key(Description="photographs", Tags=[{"TagKey": "team", "TagValue": "red"}])["KeyMetadata"]
key, arn = made["KeyId"], made["Arn"]
assert made["KeyState"] == "Enabled" and made["Enabled"] and made["KeySpec"] == "SYMMETRIC_DEFAULT" and made["KeyManager"] == "CUSTOMER", made
assert kms.describe_key(KeyId=arn)["KeyMetadata"]["Description"] == "photographs"
kms.update_key_description(KeyId=key, Description="pictures")
assert kms.describe_key(KeyId=key)["KeyMetadata"]["Description"] == "pictures"
for _ in range(4):
    kms.create_key()
pages = [p["Keys"] for p in kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2})]
assert [len(p) for p in pages] == [2, 2, 1] and key in [k["KeyId"] for p in pages for k in p], pages

# Aliases.
kms.create_alias(AliasName="alias/photos", TargetKeyId=key)
assert kms.describe_key(KeyId="alias/photos")["KeyMetadata"]["KeyId"] == key
assert [a["AliasName"] for p in kms.get_paginator("list_aliases").paginate(KeyId=key) for a in p["Aliases"]] == ["alias/photos"]
refused("AlreadyExistsException", kms.create_alias, AliasName="alias/photos", TargetKeyId=key)
refused("InvalidAliasNameException", kms.create_alias, AliasName="alias/aws/mine", TargetKeyId=key)
refused("NotFoundException", kms.describe_key, KeyId="alias/nothing")
other = pages[0][0]["KeyId"] if pages[0][0]["KeyId"] != key else pages[0][1]["KeyId"]
kms.update_alias(AliasName="alias/photos", TargetKeyId=other)
assert kms.describe_key(KeyId="alias/photos")["KeyMetadata"]["KeyId"] == other
kms.update_alias(AliasName="alias/photos", TargetKeyId=key)

# Encryption, data keys.
ec = {"project": "birds"}
blob = kms.encrypt(KeyId="alias/photos", Plaintext=b"secret", EncryptionContext=ec)["CiphertextBlob"]
out = kms.decrypt(CiphertextBlob=blob, EncryptionContext=ec)
assert out["Plaintext"] == b"secret" and out["KeyId"] == arn and out["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT", out
refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=blob)
refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=b"nonsense")
refused("IncorrectKeyException", kms.decrypt, CiphertextBlob=blob, EncryptionContext=ec, KeyId=other)
refused("InvalidKeyUsageException", kms.decrypt, CiphertextBlob=blob, EncryptionContext=ec, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
moved = kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext=ec, DestinationKeyId=other, DestinationEncryptionContext={"x": "y"})
assert moved["SourceKeyId"] == arn and moved["KeyId"].endswith(other), moved
assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"x": "y"})["Plaintext"] == b"secret"
for spec, n in ({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 64}, 64):
    dk = kms.generate_data_key(KeyId=key, EncryptionContext=ec, **spec)
    assert len(dk["Plaintext"]) == n and kms.decrypt(CiphertextBlob=dk["CiphertextBlob"], EncryptionContext=ec)["Plaintext"] == dk["Plaintext"]
    dk = kms.generate_data_key_without_plaintext(KeyId=key, EncryptionContext=ec, **spec)
    assert "Plaintext" not in dk and len(kms.decrypt(CiphertextBlob=dk["CiphertextBlob"], EncryptionContext=ec)["Plaintext"]) == n
refused("ValidationException", kms.generate_data_key, KeyId=key)
refused("ValidationException", kms.generate_data_key, KeyId=key, KeySpec="AES_256", NumberOfBytes=32)
refused("DryRunOperationException", kms.encrypt, KeyId=key, Plaintext=b"x", DryRun=True)
assert len(kms.generate_random(NumberOfBytes=40)["Plaintext"]) == 40
message = refused("ValidationException", kms.encrypt, KeyId=key, Plaintext=b"x" * 4097)
assert "plaintext" in message and "x" * 8 not in message, message
refused("UnsupportedOperationException", kms.create_key, KeySpec="RSA_2048")
refused("UnknownOperationException", kms.sign, KeyId=key, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")

# Rotation keeps what was sealed.
kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=100)
status = kms.get_key_rotation_status(KeyId=key)
assert status["KeyRotationEnabled"] and status["RotationPeriodInDays"] == 100 and status["NextRotationDate"], status
kms.rotate_key_on_demand(KeyId=key)
assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=ec)["Plaintext"] == b"secret"
kms.disable_key_rotation(KeyId=key)
assert not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]

# Tags.
kms.tag_resource(KeyId=key, Tags=[{"TagKey": "stage", "TagValue": "test"}])
kms.untag_resource(KeyId=key, TagKeys=["team"])
assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "stage", "TagValue": "test"}]
refused("TagException", kms.tag_resource, KeyId=key, Tags=[{"TagKey": "aws:x", "TagValue": "y"}])

# Key policies and grants, with a user who has no rights of her own.
iam.create_user(UserName="ann")
cred = iam.create_access_key(UserName="ann")["AccessKey"]
ann = boto3.client("kms", aws_access_key_id=cred["AccessKeyId"], aws_secret_access_key=cred["SecretAccessKey"])
me = boto3.client("sts").get_caller_identity()["Account"]
ann_arn = "arn:aws:iam::%s:user/ann" % me
message = refused("AccessDeniedException", ann.decrypt, CiphertextBlob=blob, EncryptionContext=ec)
assert "kms:Decrypt" in message and arn in message, message
refused("AccessDeniedException", ann.describe_key, KeyId="00000000-0000-0000-0000-000000000000")
assert kms.list_key_policies(KeyId=key)["PolicyNames"] == ["default"]
was = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
doc = json.loads(was)
doc["Statement"].append({"Sid": "Allow ann for birds", "Effect": "Allow", "Principal": {"AWS": ann_arn}, "Action": "kms:Decrypt", "Resource": "*",
                         "Condition": {"StringEquals": {"kms:EncryptionContext:project": "birds"}}})
kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(doc))
assert ann.decrypt(CiphertextBlob=blob, EncryptionContext=ec)["Plaintext"] == b"secret"
fish = kms.encrypt(KeyId=key, Plaintext=b"f", EncryptionContext={"project": "fish"})["CiphertextBlob"]
refused("AccessDeniedException", ann.decrypt, CiphertextBlob=fish, EncryptionContext={"project": "fish"})
kms.put_key_policy(KeyId=key, Policy=was)
refused("AccessDeniedException", ann.decrypt, CiphertextBlob=blob, EncryptionContext=ec)
refused("MalformedPolicyDocumentException", kms.put_key_policy, KeyId=key, Policy="{}")
doc["Statement"] = doc["Statement"][1:]
refused("MalformedPolicyDocumentException", kms.put_key_policy, KeyId=key, Policy=json.dumps(doc))

g = kms.create_grant(KeyId=key, GranteePrincipal=ann_arn, RetiringPrincipal=ann_arn, Operations=["Decrypt", "DescribeKey"],
                     Constraints={"EncryptionContextSubset": ec})
assert ann.decrypt(CiphertextBlob=blob, EncryptionContext=ec, GrantTokens=[g["GrantToken"]])["Plaintext"] == b"secret"
assert ann.describe_key(KeyId=key)
refused("AccessDeniedException", ann.decrypt, CiphertextBlob=fish, EncryptionContext={"project": "fish"})
listed = kms.list_grants(KeyId=key)["Grants"]
assert [x["GrantId"] for x in listed] == [g["GrantId"]] and listed[0]["Constraints"] == {"EncryptionContextSubset": ec}, listed
assert kms.list_retirable_grants(RetiringPrincipal=ann_arn)["Grants"][0]["GrantId"] == g["GrantId"]
ann.retire_grant(GrantToken=g["GrantToken"])
refused("AccessDeniedException", ann.decrypt, CiphertextBlob=blob, EncryptionContext=ec)
g = kms.create_grant(KeyId=key, GranteePrincipal=ann_arn, Operations=["Decrypt"])
refused("AccessDeniedException", ann.retire_grant, KeyId=arn, GrantId=g["GrantId"])
kms.revoke_grant(KeyId=key, GrantId=g["GrantId"])
refused("NotFoundException", kms.revoke_grant, KeyId=key, GrantId=g["GrantId"])
refused("InvalidGrantTokenException", kms.retire_grant, GrantToken="nonsense")

# States.
kms.disable_key(KeyId=key)
refused("DisabledException", kms.decrypt, CiphertextBlob=blob, EncryptionContext=ec)
kms.enable_key(KeyId=key)
gone = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
assert gone["KeyState"] == "PendingDeletion" and gone["DeletionDate"], gone
refused("KMSInvalidStateException", kms.decrypt, CiphertextBlob=blob, EncryptionContext=ec)
kms.cancel_key_deletion(KeyId=key)
assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
kms.enable_key(KeyId=key)
assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=ec)["Plaintext"] == b"secret"
kms.delete_alias(AliasName="alias/photos")
refused("NotFoundException", kms.encrypt, KeyId="alias/photos", Plaintext=b"x")

# A key that is made on demand.
managed = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
assert managed["KeyManager"] == "AWS", managed
refused("AccessDeniedException", kms.encrypt, KeyId="alias/aws/s3", Plaintext=b"x")
