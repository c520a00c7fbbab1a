package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"sort"

	"fiducial/assets"
)

//go:embed demo/*.html
var demoFiles embed.FS

// What the demo makes. Every name can be looked up with the AWS CLI afterwards.
const (
	demoPool      = "demo"
	demoWorkforce = "demo"
	demoTeam      = "demo-team"
	demoGroup     = "demo-annotators"
	demoRole      = "DemoGroundTruthExecution"
	demoInput     = "demo-input"
	demoOutput    = "demo-output"
)

// demoJob is one labeling job of the demo.
type demoJob struct {
	Name, Attribute, Template, Function, Title, Description string
	Labels                                                  []string
	Workers                                                 int
}

var demoJobs = []demoJob{
	{Name: "demo-boxes", Attribute: "boxes", Template: "boxes.liquid.html", Function: "BoundingBox",
		Title: "Draw boxes", Description: "Draw a box around every object that has a label.",
		Labels: []string{"Person", "Animal", "Cup", "Flower", "Building", "Rocket"}, Workers: 1},
	{Name: "demo-scenes", Attribute: "scene", Template: "scenes.liquid.html", Function: "ImageMultiClass",
		Title: "Sort photographs", Description: "Choose the label that says best what a photograph shows.",
		Labels: []string{"Person", "Animal", "Place", "Thing"}, Workers: 2},
}

// demoWorker is somebody who can sign in to the portal.
type demoWorker struct{ Email, Password string }

// demoSetup makes everything the demo needs through the public APIs, as a user
// would. What an earlier run made is kept; passwords are new each time.
type demoSetup struct {
	*client
	account string
	step    func(string)
	workers []demoWorker
}

func (d *demoSetup) run(ctx context.Context) error {
	for _, s := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"buckets and photographs", d.media},
		{"execution role " + demoRole, d.role},
		{"user pool, workers, workforce and work team", d.workforce},
		{"labeling jobs", d.jobs},
	} {
		d.step(s.name)
		if err := s.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func photographs() ([]string, error) {
	entries, err := assets.Photos.ReadDir("photos")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if path.Ext(e.Name()) == ".jpg" {
			names = append(names, e.Name())
		}
	}
	sort.Strings(names)
	return names, nil
}

const demoCORS = `<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><ExposeHeader>Access-Control-Allow-Origin</ExposeHeader></CORSRule></CORSConfiguration>`

func (d *demoSetup) media(ctx context.Context) error {
	for _, b := range []string{demoInput, demoOutput} {
		if err := unless(d.put(ctx, b, "", "", nil), "BucketAlreadyOwnedByYou", "BucketAlreadyExists"); err != nil {
			return err
		}
	}
	// Without CORS a browser turns pictures by their EXIF orientation, and boxes
	// would be measured in turned pictures: Ground Truth asks for it too.
	if _, err := d.do(ctx, "s3", http.MethodPut, "/"+demoInput+"?cors", nil, []byte(demoCORS)); err != nil {
		return err
	}
	names, err := photographs()
	if err != nil {
		return err
	}
	var manifest bytes.Buffer
	for _, n := range names {
		b, err := assets.Photos.ReadFile("photos/" + n)
		if err != nil {
			return err
		}
		if err := d.put(ctx, demoInput, "photos/"+n, "image/jpeg", b); err != nil {
			return err
		}
		line, _ := json.Marshal(map[string]string{"source-ref": "s3://" + demoInput + "/photos/" + n})
		manifest.Write(append(line, '\n'))
	}
	if err := d.put(ctx, demoInput, "photos.manifest", "application/x-ndjson", manifest.Bytes()); err != nil {
		return err
	}
	for _, j := range demoJobs {
		b, err := demoFiles.ReadFile("demo/" + j.Template)
		if err != nil {
			return err
		}
		if err := d.put(ctx, demoInput, j.Name+"/template.liquid.html", "text/html", b); err != nil {
			return err
		}
		type label struct {
			Label string `json:"label"`
		}
		config := struct {
			Version string  `json:"document-version"`
			Labels  []label `json:"labels"`
		}{Version: "2018-11-28"}
		for _, l := range j.Labels {
			config.Labels = append(config.Labels, label{l})
		}
		b, _ = json.Marshal(config)
		if err := d.put(ctx, demoInput, j.Name+"/labels.json", "application/json", b); err != nil {
			return err
		}
	}
	return nil
}

const demoTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

const demoPolicy = `{"Version":"2012-10-17","Statement":[
 {"Sid":"ReadInput","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + demoInput + `/*"},
 {"Sid":"WriteOutput","Effect":"Allow","Action":["s3:PutObject","s3:GetObject","s3:AbortMultipartUpload"],"Resource":"arn:aws:s3:::` + demoOutput + `/*"},
 {"Sid":"FindBuckets","Effect":"Allow","Action":["s3:ListBucket","s3:GetBucketLocation"],"Resource":["arn:aws:s3:::` + demoInput + `","arn:aws:s3:::` + demoOutput + `"]}]}`

func (d *demoSetup) role(ctx context.Context) error {
	err := d.query(ctx, "iam", "2010-05-08", "CreateRole", map[string]string{"RoleName": demoRole, "AssumeRolePolicyDocument": demoTrust})
	if err := unless(err, "EntityAlreadyExists"); err != nil {
		return err
	}
	return d.query(ctx, "iam", "2010-05-08", "PutRolePolicy", map[string]string{"RoleName": demoRole, "PolicyName": "labeling", "PolicyDocument": demoPolicy})
}

func (d *demoSetup) cognito(ctx context.Context, operation string, in, out any) error {
	return d.json(ctx, "cognito-idp", "AWSCognitoIdentityProviderService."+operation, in, out)
}

func (d *demoSetup) sagemaker(ctx context.Context, operation string, in, out any) error {
	return d.json(ctx, "sagemaker", "SageMaker."+operation, in, out)
}

type object = map[string]any

func (d *demoSetup) workforce(ctx context.Context) error {
	pool, clientID, err := d.pool(ctx)
	if err != nil {
		return err
	}
	err = unless(d.cognito(ctx, "CreateGroup", object{"UserPoolId": pool, "GroupName": demoGroup}, nil), "GroupExistsException")
	if err != nil {
		return err
	}
	for i := range d.workers {
		w := &d.workers[i]
		w.Password = demoPassword()
		err := d.cognito(ctx, "AdminCreateUser", object{"UserPoolId": pool, "Username": w.Email, "MessageAction": "SUPPRESS",
			"UserAttributes": []object{{"Name": "email", "Value": w.Email}, {"Name": "email_verified", "Value": "true"}}}, nil)
		if err := unless(err, "UsernameExistsException"); err != nil {
			return err
		}
		if err := d.cognito(ctx, "AdminSetUserPassword", object{"UserPoolId": pool, "Username": w.Email, "Password": w.Password, "Permanent": true}, nil); err != nil {
			return err
		}
		if err := d.cognito(ctx, "AdminAddUserToGroup", object{"UserPoolId": pool, "Username": w.Email, "GroupName": demoGroup}, nil); err != nil {
			return err
		}
	}
	if d.sagemaker(ctx, "DescribeWorkteam", object{"WorkteamName": demoTeam}, nil) == nil {
		return nil
	}
	err = d.sagemaker(ctx, "CreateWorkforce", object{"WorkforceName": demoWorkforce, "CognitoConfig": object{"UserPool": pool, "ClientId": clientID}}, nil)
	if err != nil && d.sagemaker(ctx, "DescribeWorkforce", object{"WorkforceName": demoWorkforce}, nil) != nil {
		return err
	}
	return d.sagemaker(ctx, "CreateWorkteam", object{
		"WorkteamName": demoTeam, "WorkforceName": demoWorkforce, "Description": "The people who try Fiducial",
		"MemberDefinitions":         []object{{"CognitoMemberDefinition": object{"UserPool": pool, "UserGroup": demoGroup, "ClientId": clientID}}},
		"WorkerAccessConfiguration": object{"S3Presign": object{"IamPolicyConstraints": object{"SourceIp": "Enabled"}}},
	}, nil)
}

// pool finds or makes the user pool and its client.
func (d *demoSetup) pool(ctx context.Context) (pool, clientID string, err error) {
	var pools struct{ UserPools []struct{ ID, Name string } }
	if err := d.cognito(ctx, "ListUserPools", object{"MaxResults": 60}, &pools); err != nil {
		return "", "", err
	}
	for _, p := range pools.UserPools {
		if p.Name == demoPool {
			pool = p.ID
		}
	}
	if pool == "" {
		var out struct{ UserPool struct{ ID string } }
		if err := d.cognito(ctx, "CreateUserPool", object{"PoolName": demoPool}, &out); err != nil {
			return "", "", err
		}
		pool = out.UserPool.ID
	}
	var wf struct {
		Workforce struct{ CognitoConfig struct{ ClientID string } }
	}
	if d.sagemaker(ctx, "DescribeWorkforce", object{"WorkforceName": demoWorkforce}, &wf) == nil && wf.Workforce.CognitoConfig.ClientID != "" {
		return pool, wf.Workforce.CognitoConfig.ClientID, nil
	}
	var out struct{ UserPoolClient struct{ ClientID string } }
	err = d.cognito(ctx, "CreateUserPoolClient", object{"UserPoolId": pool, "ClientName": "portal"}, &out)
	return pool, out.UserPoolClient.ClientID, err
}

// demoPassword satisfies Cognito's default password policy.
func demoPassword() string {
	b := make([]byte, 9)
	_, _ = rand.Read(b)
	return "Aa1-" + base64.RawURLEncoding.EncodeToString(b)
}

func (d *demoSetup) jobs(ctx context.Context) error {
	for _, j := range demoJobs {
		if d.sagemaker(ctx, "DescribeLabelingJob", object{"LabelingJobName": j.Name}, nil) == nil {
			continue
		}
		function := "arn:aws:lambda:" + d.region + ":432418664414:function:"
		err := d.sagemaker(ctx, "CreateLabelingJob", object{
			"LabelingJobName": j.Name, "LabelAttributeName": j.Attribute,
			"InputConfig":              object{"DataSource": object{"S3DataSource": object{"ManifestS3Uri": "s3://" + demoInput + "/photos.manifest"}}},
			"OutputConfig":             object{"S3OutputPath": "s3://" + demoOutput + "/"},
			"RoleArn":                  "arn:aws:iam::" + d.account + ":role/" + demoRole,
			"LabelCategoryConfigS3Uri": "s3://" + demoInput + "/" + j.Name + "/labels.json",
			"HumanTaskConfig": object{
				"WorkteamArn":                       "arn:aws:sagemaker:" + d.region + ":" + d.account + ":workteam/private-crowd/" + demoTeam,
				"UiConfig":                          object{"UiTemplateS3Uri": "s3://" + demoInput + "/" + j.Name + "/template.liquid.html"},
				"PreHumanTaskLambdaArn":             function + "PRE-" + j.Function,
				"AnnotationConsolidationConfig":     object{"AnnotationConsolidationLambdaArn": function + "ACS-" + j.Function},
				"TaskTitle":                         j.Title,
				"TaskDescription":                   j.Description,
				"NumberOfHumanWorkersPerDataObject": j.Workers,
				"TaskTimeLimitInSeconds":            3600,
			},
		}, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", j.Name, err)
		}
	}
	return nil
}
