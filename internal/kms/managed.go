package kms

import (
	"context"
	"encoding/json"
	"fmt"

	"fiducial/internal/fault"
)

// managed are the aliases whose keys are made on demand, with their services.
var managed = map[string]string{"alias/aws/s3": "s3", "alias/aws/sagemaker": "sagemaker"}

// managedDays is how often the material of managed keys is made anew.
const managedDays = 365

// defaultPolicy delegates to the account, as AWS does with keys made without one.
func defaultPolicy(account string) string {
	return document("key-default-1", statement{
		SID: "Enable IAM User Permissions", Effect: "Allow", Principal: map[string]string{"AWS": "arn:aws:iam::" + account + ":root"},
		Action: []string{"kms:*"}, Resource: "*",
	})
}

// managedPolicy lets everybody in the account use the key through the service,
// and nobody in another way.
func (s *Service) managedPolicy(service string) string {
	return document("auto-"+service,
		statement{
			SID:    fmt.Sprintf("Allow access through %s for all principals in the account that are authorized to use %s", service, service),
			Effect: "Allow", Principal: map[string]string{"AWS": "*"},
			Action:   []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"},
			Resource: "*",
			Condition: map[string]map[string]string{"StringEquals": {
				"kms:CallerAccount": s.o.Account, "kms:ViaService": service + "." + s.o.Region + ".amazonaws.com"}},
		},
		statement{
			SID: "Allow direct access to key metadata to the account", Effect: "Allow",
			Principal: map[string]string{"AWS": "arn:aws:iam::" + s.o.Account + ":root"},
			Action:    []string{"kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"}, Resource: "*",
		})
}

type statement struct {
	SID       string `json:"Sid,omitempty"`
	Effect    string
	Principal map[string]string
	Action    []string
	Resource  string
	Condition any `json:",omitempty"`
}

// document writes a policy. Its parts are ours or were checked, so it always marshals.
func document(id string, list ...statement) string { return versioned("2012-10-17", id, list) }

// plainDocument writes a policy in which no text is a variable.
func plainDocument(list ...statement) string { return versioned("2008-10-17", "", list) }

func versioned(version, id string, list []statement) string {
	b, err := json.MarshalIndent(struct {
		Version   string
		ID        string `json:"Id,omitempty"`
		Statement []statement
	}{version, id, list}, "", "  ")
	if err != nil {
		return ""
	}
	return string(b)
}

// makeManaged makes the key of a managed alias, unless another replica is first.
func (s *Service) makeManaged(ctx context.Context, alias string) (*Alias, error) {
	service := managed[alias]
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	material, err := s.newMaterial(id)
	if err != nil {
		return nil, err
	}
	now := s.o.Now()
	err = s.o.Store.CreateKey(ctx, &Key{ID: id, Description: "Default key of " + service + " where no other is given", Manager: AWS, State: Enabled,
		Policy: s.managedPolicy(service), CreatedAt: now, RotateDays: managedDays, RotatedAt: now, Material: material}, alias)
	if err != nil && !fault.Is(err, fault.Exists) {
		return nil, err
	}
	s.changed()
	return s.o.Store.Alias(ctx, alias)
}
