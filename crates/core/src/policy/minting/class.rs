//! The class itself, with a reason for each row. Sources: IAM user guide ("Temporary security credentials", "Grant a user
//! permissions to pass a role to an AWS service"); service authorization reference. `docs/security/minting.md` lists it.

use super::{Minting, Tier};

/// A row that is one action.
const fn one(tier: Tier, pattern: &'static str, why: &'static str) -> Minting {
    Minting { tier, pattern, why, known: &[] }
}

/// A row with a wildcard, and the actions that it is known to mean.
const fn many(tier: Tier, pattern: &'static str, why: &'static str, known: &'static [&'static str]) -> Minting {
    Minting { tier, pattern, why, known }
}

use Tier::{Credential as C, RunAs as R};

/// The class, in the order of the documentation page.
pub(crate) const MINTING: [Minting; 102] = [
    // STS: temporary credentials
    many(
        C,
        "sts:AssumeRo*",
        "returns credentials of a role",
        &["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoot"],
    ),
    many(
        C,
        "sts:Get*Token",
        "returns credentials or a token of the caller",
        &[
            "sts:GetFederationToken",
            "sts:GetSessionToken",
            "sts:GetServiceBearerToken",
            "sts:GetWebIdentityToken",
            "sts:GetDelegatedAccessToken",
        ],
    ),
    one(C, "sts:GetScopedCredentials", "returns credentials of the caller"),
    // IAM: long-term credentials and ways to sign in
    one(C, "iam:CreateAccessKey", "makes a key that never expires"),
    one(C, "iam:UpdateAccessKey", "makes an old key valid again"),
    one(C, "iam:CreateLoginProfile", "makes a password"),
    one(C, "iam:UpdateLoginProfile", "changes a password"),
    one(C, "iam:ChangePassword", "changes a password"),
    one(C, "iam:CreateServiceSpecificCredential", "makes a password or an API key of a service"),
    one(C, "iam:ResetServiceSpecificCredential", "makes a new password of a service"),
    one(C, "iam:UploadSSHPublicKey", "adds a key that signs in"),
    one(C, "iam:UploadSigningCertificate", "adds a certificate that signs in"),
    // IAM: who may assume, and what an identity may do
    one(C, "iam:UpdateAssumeRolePolicy", "decides who may assume a role"),
    one(C, "iam:PassRole", "hands a role to a service, which then acts with it"),
    many(
        C,
        "iam:Attach*Policy",
        "gives an identity more power",
        &["iam:AttachUserPolicy", "iam:AttachGroupPolicy", "iam:AttachRolePolicy"],
    ),
    many(
        C,
        "iam:Put*Policy",
        "gives an identity more power",
        &["iam:PutUserPolicy", "iam:PutGroupPolicy", "iam:PutRolePolicy"],
    ),
    many(
        C,
        "iam:*PermissionsBoundary",
        "changes the bounds of an identity",
        &[
            "iam:PutUserPermissionsBoundary",
            "iam:PutRolePermissionsBoundary",
            "iam:DeleteUserPermissionsBoundary",
            "iam:DeleteRolePermissionsBoundary",
        ],
    ),
    one(C, "iam:CreatePolicyVersion", "gives every holder of a policy more power"),
    one(C, "iam:SetDefaultPolicyVersion", "gives every holder of a policy another power"),
    one(C, "iam:AddUserToGroup", "gives a user a group's power"),
    many(
        C,
        "iam:Create*Provider",
        "trusts another issuer of identities",
        &["iam:CreateSAMLProvider", "iam:CreateOpenIDConnectProvider"],
    ),
    one(C, "iam:UpdateSAMLProvider", "trusts another issuer of identities"),
    one(C, "iam:UpdateOpenIDConnectProviderThumbprint", "trusts another issuer of identities"),
    one(C, "iam:AddClientIDToOpenIDConnectProvider", "trusts another client of an issuer"),
    // tokens and credentials of other services
    one(C, "sso:GetRoleCredentials", "returns credentials of a role"),
    many(
        C,
        "sso-oauth:CreateToken*",
        "returns tokens that credentials are had for",
        &["sso-oauth:CreateToken", "sso-oauth:CreateTokenWithIAM"],
    ),
    many(
        C,
        "cognito-identity:Get*For*",
        "returns credentials or a token of an identity",
        &["cognito-identity:GetCredentialsForIdentity", "cognito-identity:GetOpenIdTokenForDeveloperIdentity"],
    ),
    one(C, "cognito-identity:GetOpenIdToken", "returns a token that credentials are had for"),
    one(C, "ecr:GetAuthorizationToken", "returns a registry password for twelve hours"),
    one(C, "ecr-public:GetAuthorizationToken", "returns a registry password for twelve hours"),
    one(C, "codeartifact:GetAuthorizationToken", "returns a repository password for up to twelve hours"),
    many(
        C,
        "redshift:GetClusterCredentials*",
        "returns a database password",
        &["redshift:GetClusterCredentials", "redshift:GetClusterCredentialsWithIAM"],
    ),
    one(C, "redshift-serverless:GetCredentials", "returns a database password"),
    one(C, "rds-db:connect", "signs in to a database past the gate"),
    one(C, "s3:GetDataAccess", "returns credentials for a part of S3"),
    one(C, "s3express:CreateSession", "returns credentials for a directory bucket"),
    one(C, "eks-auth:AssumeRoleForPodIdentity", "returns credentials of a role"),
    one(C, "rolesanywhere:CreateSession", "returns credentials of a role"),
    // shells and logins that run as another identity
    one(C, "ssm:StartSession", "opens a shell with an instance's identity"),
    many(
        C,
        "ec2-instance-connect:*",
        "opens a shell with an instance's identity",
        &[
            "ec2-instance-connect:SendSSHPublicKey",
            "ec2-instance-connect:SendSerialConsoleSSHPublicKey",
            "ec2-instance-connect:OpenTunnel",
        ],
    ),
    one(C, "lightsail:GetInstanceAccessDetails", "returns a key that signs in to an instance"),
    one(C, "ec2:GetPasswordData", "returns an instance's password"),
    many(
        C,
        "signin:*",
        "signs in, and returns tokens that credentials are had for",
        &["signin:AuthorizeOAuth2Access", "signin:CreateOAuth2Token"],
    ),
    // more tokens and credentials
    one(R, "redshift:GetIdentityCenterAuthToken", "returns a database token"),
    many(R, "dsql:DbConnect*", "signs in to a database past the gate", &["dsql:DbConnect", "dsql:DbConnectAdmin"]),
    one(R, "elasticache:Connect", "signs in to a cache past the gate"),
    one(R, "memorydb:Connect", "signs in to a database past the gate"),
    one(R, "codeconnections:GetConnectionToken", "returns a token of a code host"),
    one(R, "codestar-connections:GetConnectionToken", "returns a token of a code host"),
    one(R, "iot:AssumeRoleWithCertificate", "returns credentials of a role"),
    one(R, "iot:CreateKeysAndCertificate", "makes a device identity"),
    many(
        R,
        "lakeformation:GetTemporary*",
        "returns credentials for data",
        &[
            "lakeformation:GetTemporaryGlueTableCredentials",
            "lakeformation:GetTemporaryGluePartitionCredentials",
            "lakeformation:GetTemporaryDataLocationCredentials",
        ],
    ),
    one(R, "lakeformation:AssumeDecoratedRoleWithSAML", "returns credentials of a role"),
    many(
        R,
        "deadline:Assume*",
        "returns credentials of a role",
        &[
            "deadline:AssumeFleetRoleForRead",
            "deadline:AssumeFleetRoleForWorker",
            "deadline:AssumeQueueRoleForRead",
            "deadline:AssumeQueueRoleForUser",
            "deadline:AssumeQueueRoleForWorker",
        ],
    ),
    one(R, "elasticmapreduce:GetClusterSessionCredentials", "returns credentials of a cluster"),
    one(R, "emr-containers:GetManagedEndpointSessionCredentials", "returns credentials of an endpoint"),
    one(R, "gamelift:RequestUploadCredentials", "returns credentials for an upload"),
    many(
        R,
        "gamelift:GetCompute*",
        "returns credentials or a token of a host",
        &["gamelift:GetComputeAccess", "gamelift:GetComputeAuthToken"],
    ),
    one(R, "gamelift:GetInstanceAccess", "returns credentials of a host"),
    many(
        R,
        "bedrock-agentcore:Get*Token*",
        "returns tokens of an agent's identity",
        &[
            "bedrock-agentcore:GetResourceOauth2Token",
            "bedrock-agentcore:GetWorkloadAccessToken",
            "bedrock-agentcore:GetWorkloadAccessTokenForJWT",
            "bedrock-agentcore:GetWorkloadAccessTokenForUserId",
        ],
    ),
    one(R, "bedrock-agentcore:GetResourceApiKey", "returns an API key"),
    one(R, "connect:GetFederationToken", "returns a token that signs in"),
    one(R, "connect:AdminGetEmergencyAccessToken", "returns a token that signs in"),
    many(
        R,
        "airflow:Create*Token",
        "returns a token that runs as the environment's role",
        &["airflow:CreateCliToken", "airflow:CreateWebLoginToken"],
    ),
    one(R, "appstream:CreateStreamingURL", "returns an address that signs in"),
    one(R, "athena:CreatePresignedNotebookUrl", "returns an address that signs in"),
    many(
        R,
        "sagemaker:CreatePresigned*",
        "returns an address that signs in with a notebook's role",
        &[
            "sagemaker:CreatePresignedDomainUrl",
            "sagemaker:CreatePresignedMlflowTrackingServerUrl",
            "sagemaker:CreatePresignedNotebookInstanceUrl",
        ],
    ),
    one(R, "grafana:CreateWorkspaceApiKey", "makes an API key"),
    one(R, "grafana:CreateWorkspaceServiceAccountToken", "makes an API key"),
    one(R, "lightsail:DownloadDefaultKeyPair", "returns a key that signs in to instances"),
    // who may do what, elsewhere than in IAM
    one(R, "iam:AddRoleToInstanceProfile", "gives instances a role's power"),
    one(R, "sso:CreateAccountAssignment", "gives a person a permission set"),
    many(
        R,
        "sso:*ToPermissionSet",
        "gives every holder of a permission set more power",
        &[
            "sso:AttachManagedPolicyToPermissionSet",
            "sso:AttachCustomerManagedPolicyReferenceToPermissionSet",
            "sso:PutInlinePolicyToPermissionSet",
            "sso:PutPermissionsBoundaryToPermissionSet",
        ],
    ),
    one(R, "identitystore:CreateGroupMembership", "gives a person a group's power"),
    one(R, "eks:CreateAccessEntry", "lets an identity into a cluster"),
    one(R, "eks:AssociateAccessPolicy", "gives an identity power in a cluster"),
    // code and resources that run with another identity
    many(
        R,
        "lambda:UpdateFunctionCo*",
        "its code runs with the function's role",
        &["lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"],
    ),
    one(R, "ec2:ModifyInstanceAttribute", "its user data runs with the instance's role"),
    one(R, "ec2:CreateLaunchTemplateVersion", "its user data runs with the template's role"),
    one(R, "ssm:SendCommand", "its commands run with the instance's role"),
    one(R, "ssm:ResumeSession", "opens a shell with an instance's identity"),
    one(R, "ssm:StartAutomationExecution", "its steps run with the document's role"),
    one(R, "ssm:StartChangeRequestExecution", "its steps run with the document's role"),
    one(R, "ssm-guiconnect:StartConnection", "opens a desktop with an instance's identity"),
    one(R, "ecs:ExecuteCommand", "opens a shell with the task's role"),
    one(R, "ecs:RunTask", "its command runs with the task's role"),
    one(R, "ecs:StartTask", "its command runs with the task's role"),
    one(R, "batch:SubmitJob", "its command runs with the job's role"),
    one(R, "glue:UpdateDevEndpoint", "adds a key that opens a shell with the endpoint's role"),
    many(
        R,
        "glue:UpdateJob*",
        "its script runs with the job's role",
        &["glue:UpdateJob", "glue:UpdateJobFromSourceControl"],
    ),
    many(
        R,
        "codebuild:StartBuild*",
        "its build runs with the project's role",
        &["codebuild:StartBuild", "codebuild:StartBuildBatch"],
    ),
    one(R, "codebuild:UpdateProject", "its builds run with the project's role"),
    one(R, "codedeploy:CreateDeployment", "its scripts run with the instance's role"),
    many(
        R,
        "cloudformation:CreateStack*",
        "the service acts with the stack's role, or with the caller's power past the gate",
        &[
            "cloudformation:CreateStack",
            "cloudformation:CreateStackInstances",
            "cloudformation:CreateStackRefactor",
            "cloudformation:CreateStackSet",
        ],
    ),
    many(
        R,
        "cloudformation:UpdateStack*",
        "the service acts with the stack's role, or with the caller's power past the gate",
        &["cloudformation:UpdateStack", "cloudformation:UpdateStackInstances", "cloudformation:UpdateStackSet"],
    ),
    many(
        R,
        "cloudformation:Execute*",
        "the service acts with the stack's role, or with the caller's power past the gate",
        &["cloudformation:ExecuteChangeSet", "cloudformation:ExecuteStackRefactor"],
    ),
    one(R, "servicecatalog:ProvisionProduct", "the service acts with the product's launch role"),
    one(R, "states:UpdateStateMachine", "its steps run with the machine's role"),
    one(R, "datapipeline:PutPipelineDefinition", "its commands run with the pipeline's role"),
    one(R, "fis:StartExperiment", "its actions run with the experiment's role"),
    one(R, "synthetics:UpdateCanary", "its script runs with the canary's role"),
    one(R, "cloud9:CreateEnvironmentMembership", "opens a shell with the owner's power"),
];
