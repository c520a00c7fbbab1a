# Pools, clients, groups and people, with boto3 as documented.
pool = idp.create_user_pool(PoolName="workers")["UserPool"]
pid = pool["Id"]
check("pool id", pid.startswith(region + "_") and len(pid) == len(region) + 10, pid)
equal("default policy", pool["Policies"]["PasswordPolicy"], {"MinimumLength": 8, "RequireUppercase": True, "RequireLowercase": True,
      "RequireNumbers": True, "RequireSymbols": True, "TemporaryPasswordValidityDays": 7})
equal("described pool", idp.describe_user_pool(UserPoolId=pid)["UserPool"], pool)
check("creation date", abs((datetime.datetime.now(datetime.timezone.utc) - pool["CreationDate"]).total_seconds()) < 60)
own = idp.create_user_pool(PoolName="own policy", Policies={"PasswordPolicy": {"MinimumLength": 12}}, UsernameAttributes=["email"],
                           DeletionProtection="ACTIVE")["UserPool"]
equal("own policy", own["Policies"]["PasswordPolicy"], {"MinimumLength": 12, "RequireUppercase": False, "RequireLowercase": False,
      "RequireNumbers": False, "RequireSymbols": False, "TemporaryPasswordValidityDays": 7})
fails("protected pool", "InvalidParameterException", "deletion protection", idp.delete_user_pool, UserPoolId=own["Id"])
fails("no second factor here", "InvalidParameterException", "MfaConfiguration", idp.create_user_pool, PoolName="x", MfaConfiguration="ON")
fails("no functions here", "InvalidParameterException", "LambdaConfig", idp.create_user_pool, PoolName="x", LambdaConfig={"PreSignUp": "arn:aws:lambda:x"})
fails("pool name", "InvalidParameterException", "Value null at 'poolName'", idp.create_user_pool)
fails("minimum length", "InvalidParameterException", "greater than or equal to 6", idp.create_user_pool, PoolName="x",
      Policies={"PasswordPolicy": {"MinimumLength": 5}})
raises("no such pool", idp.exceptions.ResourceNotFoundException, idp.describe_user_pool, UserPoolId=region + "_nothing00")
fails("no such pool", "ResourceNotFoundException", "does not exist", idp.list_users, UserPoolId=region + "_nothing00")
for i in range(5):
    idp.create_user_pool(PoolName="more %d" % i)
ids, token = [], None
while True:
    page = idp.list_user_pools(MaxResults=3, **({"NextToken": token} if token else {}))
    ids += [p["Id"] for p in page["UserPools"]]
    token = page.get("NextToken")
    if not token:
        break
equal("all pools", (len(ids), len(set(ids))), (7, 7))

client = idp.create_user_pool_client(UserPoolId=pid, ClientName="portal", GenerateSecret=True, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])["UserPoolClient"]
check("client id", len(client["ClientId"]) == 26 and client["ClientId"].isalnum())
check("client secret", len(client["ClientSecret"]) > 40)
equal("described client", idp.describe_user_pool_client(UserPoolId=pid, ClientId=client["ClientId"])["UserPoolClient"], client)
fails("no such client", "ResourceNotFoundException", "client", idp.describe_user_pool_client, UserPoolId=pid, ClientId="x" * 26)
idp.create_user_pool_domain(UserPoolId=pid, Domain="workers-domain")
equal("domain", idp.describe_user_pool(UserPoolId=pid)["UserPool"]["Domain"], "workers-domain")

g = idp.create_group(UserPoolId=pid, GroupName="birds", Description="those who know birds", Precedence=3)["Group"]
equal("group", (g["GroupName"], g["UserPoolId"], g["Description"], g["Precedence"]), ("birds", pid, "those who know birds", 3))
equal("described group", idp.get_group(UserPoolId=pid, GroupName="birds")["Group"], g)
raises("group twice", idp.exceptions.GroupExistsException, idp.create_group, UserPoolId=pid, GroupName="birds")
idp.create_group(UserPoolId=pid, GroupName="Birds")  # names of groups differ by case
fails("no such group", "ResourceNotFoundException", "Group not found", idp.get_group, UserPoolId=pid, GroupName="dogs")
for i in range(4):
    idp.create_group(UserPoolId=pid, GroupName="g%d" % i)
names = [g["GroupName"] for p in idp.get_paginator("list_groups").paginate(UserPoolId=pid, PaginationConfig={"PageSize": 2}) for g in p["Groups"]]
equal("all groups", sorted(names), sorted(["birds", "Birds", "g0", "g1", "g2", "g3"]))

u = idp.admin_create_user(UserPoolId=pid, Username="ann", TemporaryPassword="Temp0rary!", MessageAction="SUPPRESS",
                          UserAttributes=[{"Name": "email", "Value": "ann@example.org"}, {"Name": "name", "Value": "Ann É"}])["User"]
equal("user", (u["Username"], u["Enabled"], u["UserStatus"]), ("ann", True, "FORCE_CHANGE_PASSWORD"))
attrs = {a["Name"]: a["Value"] for a in u["Attributes"]}
check("sub", len(attrs["sub"]) == 36)
equal("attributes", (attrs["email"], attrs["name"]), ("ann@example.org", "Ann É"))
raises("user twice", idp.exceptions.UsernameExistsException, idp.admin_create_user, UserPoolId=pid, Username="ANN")
fails("address twice", "UsernameExistsException", "email", idp.admin_create_user, UserPoolId=pid, Username="bob",
      UserAttributes=[{"Name": "email", "Value": "Ann@Example.org"}])
raises("weak password", idp.exceptions.InvalidPasswordException, idp.admin_create_user, UserPoolId=pid, Username="weak", TemporaryPassword="weak")
fails("the weak one was not made", "UserNotFoundException", "does not exist", idp.admin_get_user, UserPoolId=pid, Username="weak")
fails("sub is not given", "InvalidParameterException", "sub", idp.admin_create_user, UserPoolId=pid, Username="x", UserAttributes=[{"Name": "sub", "Value": "1"}])
fails("unknown attribute", "InvalidParameterException", "shoe_size", idp.admin_create_user, UserPoolId=pid, Username="x", UserAttributes=[{"Name": "shoe_size", "Value": "1"}])
for by in ("ann", "ANN", "ann@example.org", attrs["sub"]):
    equal("found by " + by, idp.admin_get_user(UserPoolId=pid, Username=by)["Username"], "ann")
raises("no such user", idp.exceptions.UserNotFoundException, idp.admin_get_user, UserPoolId=pid, Username="nobody")
fails("long password", "InvalidParameterException", "'***'", idp.admin_set_user_password, UserPoolId=pid, Username="ann", Password="Aa1!" * 100)
fails("weak password", "InvalidPasswordException", "uppercase", idp.admin_set_user_password, UserPoolId=pid, Username="ann", Password="weak-passw0rd")
idp.admin_set_user_password(UserPoolId=pid, Username="ann", Password="Perman3nt!pass", Permanent=True)
equal("confirmed", idp.admin_get_user(UserPoolId=pid, Username="ann")["UserStatus"], "CONFIRMED")
idp.admin_set_user_password(UserPoolId=pid, Username="ann", Password="Temp0rary!again")
equal("temporary again", idp.admin_get_user(UserPoolId=pid, Username="ann")["UserStatus"], "FORCE_CHANGE_PASSWORD")
idp.admin_disable_user(UserPoolId=pid, Username="ann")
equal("disabled", idp.admin_get_user(UserPoolId=pid, Username="ann")["Enabled"], False)
idp.admin_enable_user(UserPoolId=pid, Username="ann")
equal("enabled", idp.admin_get_user(UserPoolId=pid, Username="ann")["Enabled"], True)

by_mail = idp.admin_create_user(UserPoolId=own["Id"], Username="eve@example.org")["User"]
equal("the sub is the username", by_mail["Username"], [a["Value"] for a in by_mail["Attributes"] if a["Name"] == "sub"][0])
fails("must be an address", "InvalidParameterException", "email", idp.admin_create_user, UserPoolId=own["Id"], Username="eve")

for i in range(7):
    idp.admin_create_user(UserPoolId=pid, Username="u%d" % i, UserAttributes=[{"Name": "email", "Value": "u%d@example.org" % i}])
    idp.admin_add_user_to_group(UserPoolId=pid, Username="u%d" % i, GroupName="birds")
idp.admin_add_user_to_group(UserPoolId=pid, Username="u1@example.org", GroupName="g1")
idp.admin_add_user_to_group(UserPoolId=pid, Username="u1", GroupName="g1")  # again
every = [u["Username"] for p in idp.get_paginator("list_users").paginate(UserPoolId=pid, PaginationConfig={"PageSize": 3}) for u in p["Users"]]
equal("all users", every, ["ann"] + ["u%d" % i for i in range(7)])
equal("filter", [u["Username"] for u in idp.list_users(UserPoolId=pid, Filter='email = "U3@example.org"')["Users"]], ["u3"])
equal("prefix", len(idp.list_users(UserPoolId=pid, Filter='username ^= "u"')["Users"]), 7)
equal("some attributes", idp.list_users(UserPoolId=pid, Filter='username = "u3"', AttributesToGet=["email"])["Users"][0]["Attributes"], [{"Name": "email", "Value": "u3@example.org"}])
fails("bad filter", "InvalidParameterException", "filter", idp.list_users, UserPoolId=pid, Filter="email")
fails("token of another list", "InvalidParameterException", "token", idp.list_users, UserPoolId=pid, PaginationToken="nonsense")
inside = [u["Username"] for p in idp.get_paginator("list_users_in_group").paginate(UserPoolId=pid, GroupName="birds", PaginationConfig={"PageSize": 2}) for u in p["Users"]]
equal("in the group", inside, ["u%d" % i for i in range(7)])
equal("groups of one", [g["GroupName"] for p in idp.get_paginator("admin_list_groups_for_user").paginate(UserPoolId=pid, Username="u1", PaginationConfig={"PageSize": 1}) for g in p["Groups"]], ["birds", "g1"])
idp.admin_remove_user_from_group(UserPoolId=pid, Username="u1", GroupName="birds")
idp.admin_delete_user(UserPoolId=pid, Username="u2")
equal("two fewer", len(idp.list_users_in_group(UserPoolId=pid, GroupName="birds")["Users"]), 5)
idp.delete_group(UserPoolId=pid, GroupName="birds")
fails("group gone", "ResourceNotFoundException", "Group not found", idp.list_users_in_group, UserPoolId=pid, GroupName="birds")
equal("not in it any more", [g["GroupName"] for g in idp.admin_list_groups_for_user(UserPoolId=pid, Username="u1")["Groups"]], ["g1"])
idp.delete_user_pool(UserPoolId=pid)
raises("pool gone", idp.exceptions.ResourceNotFoundException, idp.admin_get_user, UserPoolId=pid, Username="ann")
fails("not a Cognito operation here", "UnknownOperationException", "no operation", idp.admin_initiate_auth, UserPoolId=pid, AuthFlow="x", ClientId="x")
finish()
