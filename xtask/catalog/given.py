"""Members that give a variable of an ARN under a name that says nothing, or from within a structure.

    (prefix, kinds, variable, operations): members

Kinds, the folded variable and operations are regular expressions for all of the name. A member is a path of names as
they stand in the model, `[]` after a list of structures, `=` after what can only be a whole ARN, `?text` after what
the service takes for this text where it is not given. A path that no operation has is an error of this table.
Sources: the API reference of each service for defaults, its Service Authorization Reference for what is checked.
"""

import re

ANY = ".*"

GIVEN = {
    ("appsync", "graphqlapi", "graphqlapiid", "(Get|Delete|Update)GraphqlApi"): ["apiId"],
    ("autoscaling", "autoScalingGroup", "groupfriendlyname", ANY): ["AutoScalingGroupName"],
    ("autoscaling", "autoScalingGroup", "groupfriendlyname", "(Delete|CreateOrUpdate)Tags"): ["Tags[].ResourceId"],
    # Athena: the workgroup `primary` and the catalogue of Glue are there from the start.
    ("athena", "workgroup", "workgroupname", "StartQueryExecution|ListQueryExecutions|ListNamedQueries|"
     "CreateNamedQuery|ListPreparedStatements"): ["WorkGroup?primary"],
    ("athena", "datacatalog", "datacatalogname", ANY): ["CatalogName", "Name"],
    ("batch", "compute-environment", "computeenvironmentname", "CreateJobQueue|UpdateJobQueue"):
        ["computeEnvironmentOrder[].computeEnvironment"],
    ("bedrock", "automated-reasoning-policy", "automatedreasoningpolicyid", ANY): ["policyArn="],
    ("bedrock", "evaluation-job", "resourceid", "BatchDeleteEvaluationJob"): ["jobIdentifiers="],
    ("budgets", "budget", "budgetname", "CreateBudget"): ["Budget.BudgetName"],
    ("budgets", "budget", "budgetname", "UpdateBudget"): ["NewBudget.BudgetName"],
    ("ce", "anomalymonitor", "identifier", ANY): ["MonitorArn=", "MonitorArnList="],
    ("ce", "anomalysubscription", "identifier", ANY): ["SubscriptionArn=", "SubscriptionArnList="],
    ("cloudfront", "distribution", "distributionid", "AssociateAlias"): ["TargetDistributionId"],
    ("cloudfront", "distribution", "distributionid", "CopyDistribution"): ["PrimaryDistributionId"],
    ("cloudfront", "distribution", "distributionid", ".*WebACL|GetDistributionConfig|UpdateDistributionWith.*"): ["Id"],
    ("cloudfront", "streaming-distribution", "distributionid", "GetStreamingDistributionConfig"): ["Id"],
    ("cloudtrail", ANY, ANY, "AddTags|RemoveTags"): ["ResourceId="],
    ("cloudtrail", ANY, ANY, "ListTags"): ["ResourceIdList="],
    ("cloudtrail", "trail", "trailname", "StartLogging|StopLogging|GetTrailStatus"): ["Name"],
    ("cloudtrail", "dashboard", "dashboardname", "GetDashboard|DeleteDashboard|UpdateDashboard|StartDashboardRefresh"):
        ["DashboardId"],
    ("cloudwatch", "insight-rule", "insightrulename", ANY): ["RuleName", "RuleNames"],
    ("cloudwatch", "metric-stream", "metricstreamname", "StartMetricStreams|StopMetricStreams"): ["Names"],
    ("codebuild", "project", "projectname", "BatchGetProjects"): ["names"],
    ("codedeploy", "deploymentconfig", "deploymentconfigurationname", ANY): ["deploymentConfigName"],
    ("codedeploy", "deploymentgroup", "deploymentgroupname", "UpdateDeploymentGroup"): ["currentDeploymentGroupName"],
    ("codepipeline", "pipeline", "pipelinename", "CreatePipeline|UpdatePipeline"): ["pipeline.name"],
    ("codepipeline", "pipeline", "pipelinename", "StartPipelineExecution|GetPipelineState"): ["name"],
    ("codepipeline", "pipeline", "pipelinename", "PutWebhook"): ["webhook.targetPipeline"],
    ("codepipeline", "webhook", "webhookname", "PutWebhook"): ["webhook.name"],
    ("codecommit", "repository", "repositoryname", "CreatePullRequest"): ["targets[].repositoryName"],
    ("codecommit", "repository", "repositoryname", "UpdateRepositoryName"): ["oldName"],
    ("dynamodb", "table", "tablename", "ImportTable"): ["TableCreationParameters.TableName"],
    ("dynamodb", "table", "tablename", "RestoreTableFromBackup"): ["TargetTableName"],
    ("dynamodb", "table", "tablename", "RestoreTableToPointInTime"):
        ["TargetTableName", "SourceTableName", "SourceTableArn="],
    ("dynamodb", "table", "tablename", "CreateGlobalTable|UpdateGlobalTable|UpdateGlobalTableSettings"):
        ["GlobalTableName"],
    # ECS takes the cluster `default` where none is named.
    ("ecs", ANY, "clustername", ANY): ["cluster?default"],
    ("ecs", "container-instance", "containerinstanceid", "DeleteAttributes|PutAttributes"): ["attributes[].targetId"],
    ("ecs", "container-instance", "containerinstanceid", "DescribeContainerInstances|UpdateContainerInstancesState"):
        ["containerInstances"],
    ("ecs", "task", "taskid", "DescribeTasks|GetTaskProtection|UpdateTaskProtection"): ["tasks"],
    ("ecs", "task-set", "tasksetid", "DescribeTaskSets"): ["taskSets"],
    ("ecs", "task-definition", "taskdefinitionfamilyname", "RunTask|StartTask"): ["taskDefinition"],
    ("ecs", "task-definition", "taskdefinitionfamilyname", "DeleteTaskDefinitions"): ["taskDefinitions"],
    ("ecs", "task-definition", "taskdefinitionfamilyname", "RegisterTaskDefinition"): ["family"],
    ("eks", "cluster", "clustername", "DescribeUpdate|ListUpdates|UpdateClusterConfig|UpdateClusterVersion"): ["name"],
    ("elasticache", ANY, ANY, "AddTagsToResource|ListTagsForResource|RemoveTagsFromResource"): ["ResourceName="],
    ("elasticache", "snapshot", "snapshotname", "CopySnapshot"): ["SourceSnapshotName", "TargetSnapshotName"],
    ("elasticache", "serverlesscachesnapshot", "serverlesscachesnapshotname", "CopyServerlessCacheSnapshot"):
        ["SourceServerlessCacheSnapshotName", "TargetServerlessCacheSnapshotName"],
    ("elasticfilesystem", "file-system", "filesystemid", "TagResource|UntagResource|ListTagsForResource"):
        ["ResourceId"],
    ("elasticfilesystem", "access-point", "accesspointid", "TagResource|UntagResource|ListTagsForResource"):
        ["ResourceId"],
    ("elasticfilesystem", "file-system", "filesystemid", ".*ReplicationConfiguration"): ["SourceFileSystemId"],
    ("elasticloadbalancing", ANY, ANY, "AddTags|RemoveTags"): ["ResourceArns="],
    ("elasticloadbalancing", "listener-rule/.*", "listenerruleid", "DeleteRule|ModifyRule"): ["RuleArn="],
    ("elasticloadbalancing", "listener-rule/.*", "listenerruleid", "SetRulePriorities"): ["RulePriorities[].RuleArn="],
    ("elasticloadbalancing", "targetgroup", "targetgroupname", "CreateTargetGroup"): ["Name"],
    ("elasticloadbalancing", "truststore", "truststorename", "CreateTrustStore"): ["Name"],
    ("elasticmapreduce", "cluster", "clusterid", "AddInstanceGroups|AddJobFlowSteps"): ["JobFlowId"],
    ("elasticmapreduce", "cluster", "clusterid", "Set.*|TerminateJobFlows|DescribeJobFlows"): ["JobFlowIds"],
    ("events", "event-bus", "eventbusname", "PutEvents"): ["Entries[].EventBusName?default"],
    ("events", "event-bus", "eventbusname", "CreateArchive"): ["EventSourceArn="],
    ("events", "event-bus", "eventbusname", "StartReplay"): ["Destination.Arn="],
    ("events", "archive", "archivename", "StartReplay"): ["EventSourceArn="],
    ("glue", "blueprint", "blueprintname", "BatchGetBlueprints"): ["Names"],
    ("glue", "connection", "connectionname", "BatchDeleteConnection"): ["ConnectionNameList"],
    ("glue", "database", "databasename", "CreateDatabase"): ["DatabaseInput.Name"],
    ("glue", "database", "databasename", "BatchGetTableOptimizer"): ["Entries[].databaseName"],
    ("glue", "devendpoint", "devendpointname", ANY): ["EndpointName"],
    ("glue", "registry", "registryname", "CreateSchema|GetRegistry|DeleteRegistry|UpdateRegistry|ListSchemas"):
        ["RegistryId.RegistryName", "RegistryId.RegistryArn="],
    ("glue", "registry", "registryname", ".*Schema.*"): ["SchemaId.RegistryName"],
    ("glue", "schema", "schemaregistry", ANY): ["RegistryId.RegistryName", "SchemaId.RegistryName"],
    ("glue", "schema", "schemaname", "(?!CreateSchema).*"): ["SchemaId.SchemaName", "SchemaId.SchemaArn="],
    ("glue", "table", "tablename", "CreateTable|UpdateTable"): ["TableInput.Name", "Name"],
    ("glue", "table", "tablename", "BatchDeleteTable"): ["TablesToDelete"],
    ("glue", "usageProfile", "usageprofileid", ANY): ["Name"],
    ("glue", "userdefinedfunction", "userdefinedfunctionname", "DeleteUserDefinedFunction"): ["FunctionName"],
    ("glue", "workflow", "workflowname", "BatchGetWorkflows"): ["Names"],
    ("glue", "workflow", "workflowname", ".*WorkflowRun.*"): ["Name"],
    ("guardduty", "publishingDestination", "publishingdestinationid", ANY): ["DestinationId"],
    ("iam", "group", "groupnamewithpath", ANY): ["GroupName", "NewGroupName"],
    ("iam", "instance-profile", "instanceprofilenamewithpath", ANY): ["InstanceProfileName"],
    ("iam", "mfa", "mfatokenidwithpath", "(?!Create).*"): ["SerialNumber="],
    ("iam", "oidc-provider", "oidcprovidername", ANY): ["OpenIDConnectProviderArn="],
    ("iam", "role", "rolenamewithpath", ANY): ["RoleName"],
    ("iam", "server-certificate", "certificatenamewithpath", ANY):
        ["ServerCertificateName", "NewServerCertificateName"],
    ("iam", "user", "usernamewithpath", ANY): ["UserName", "NewUserName"],
    ("kms", "alias", "alias", ANY): ["AliasName"],
    ("kms", "key", "keyid", "CreateAlias|UpdateAlias"): ["TargetKeyId"],
    ("lambda", "function alias", "alias", ".*ProvisionedConcurrencyConfig"): ["Qualifier"],
    ("lambda", "function version", "version", ".*ProvisionedConcurrencyConfig"): ["Qualifier"],
    ("lambda", "layerVersion", "layerversion", ANY): ["VersionNumber"],
    ("logs", "log-group", "loggroupname", "(Delete|Get|Put)(DataProtectionPolicy|Transformer)"): ["logGroupIdentifier"],
    ("logs", "log-group", "loggroupname", "PutBearerTokenAuthentication|PutLogGroupDeletionProtection"):
        ["logGroupIdentifier"],
    ("logs", "log-group", "loggroupname", "StartLiveTail"): ["logGroupIdentifiers"],
    ("logs", "log-group", "loggroupname", "CreateLogAnomalyDetector"): ["logGroupArnList="],
    ("logs", "delivery", "deliveryname", "DeleteDelivery|GetDelivery|UpdateDeliveryConfiguration"): ["id"],
    ("rds", ANY, ANY, "AddTagsToResource|ListTagsForResource|RemoveTagsFromResource"): ["ResourceName="],
    ("rds", "cluster-endpoint", "dbclusterendpoint", ANY): ["DBClusterEndpointIdentifier"],
    ("rds", "global-cluster", "globalcluster", ANY): ["GlobalClusterIdentifier"],
    ("rds", "secgrp", "securitygroupname", ANY): ["DBSecurityGroupName"],
    ("rds", "ri", "reserveddbinstancename", ANY): ["ReservedDBInstanceId"],
    ("rds", "cluster-pg", "clusterparametergroupname", "CopyDBClusterParameterGroup"):
        ["SourceDBClusterParameterGroupIdentifier", "TargetDBClusterParameterGroupIdentifier"],
    ("rds", "pg", "parametergroupname", "CopyDBParameterGroup"):
        ["SourceDBParameterGroupIdentifier", "TargetDBParameterGroupIdentifier"],
    ("rds", "og", "optiongroupname", "CopyOptionGroup"):
        ["SourceOptionGroupIdentifier", "TargetOptionGroupIdentifier"],
    ("rds", "snapshot", "snapshotname", "CopyDBSnapshot"): ["SourceDBSnapshotIdentifier", "TargetDBSnapshotIdentifier"],
    ("rds", "cluster-snapshot", "clustersnapshotname", "CopyDBClusterSnapshot"):
        ["SourceDBClusterSnapshotIdentifier", "TargetDBClusterSnapshotIdentifier"],
    ("rds", "cluster-snapshot", "clustersnapshotname", "DeleteDBCluster"): ["FinalDBSnapshotIdentifier"],
    ("rds", "db", "dbinstancename", "CreateDBInstanceReadReplica"): ["DBInstanceIdentifier", "SourceDBInstanceIdentifier"],
    ("rds", "db", "dbinstancename", ".*AutomatedBackupsReplication"): ["SourceDBInstanceArn="],
    ("redshift", "cluster", "clustername", ANY): ["ClusterIdentifier"],
    ("redshift", "dbuser|dbname", "clustername", ANY): ["ClusterIdentifier"],
    ("redshift", "snapshot", "clustername", "CreateClusterSnapshot|RestoreTableFromClusterSnapshot"):
        ["ClusterIdentifier"],
    # Where a new cluster is made of a snapshot, `ClusterIdentifier` is the new one's.
    ("redshift", "snapshot", "clustername", "(?!Create|RestoreTable).*"): ["SnapshotClusterIdentifier"],
    ("redshift", "snapshot", "snapshotname", "(Create|Delete|Modify)ClusterSnapshot|Restore.*Snapshot"):
        ["SnapshotIdentifier"],
    ("redshift", "subnetgroup", "subnetgroupname", ANY): ["ClusterSubnetGroupName"],
    ("redshift", "eventsubscription", "eventsubscriptionname", ANY): ["SubscriptionName"],
    ("redshift", ANY, ANY, "CreateTags|DeleteTags|DescribeTags"): ["ResourceName="],
    ("sagemaker", "automl-job", "automljobjobname", ANY): ["AutoMLJobName"],
    ("sagemaker", ".*-job-definition", ".*jobdefinitionname", ANY): ["JobDefinitionName"],
    ("ses", "dedicated-ip-pool", "dedicatedippool", ANY): ["PoolName"],
    ("ses", "identity", "identityname", "(?!Send|CreateDeliv|BatchGet|ListRec|GetDomainStat).*Email.*"): ["EmailIdentity"],
    ("ses", "configuration-set", "configurationsetname", "CreateConfigurationSet"):
        ["ConfigurationSet.Name", "ConfigurationSetName"],
    ("servicediscovery", "namespace", "namespaceid", "Update.*Namespace"): ["Id"],
    ("sqs", "queue", "queuename", "StartMessageMoveTask|ListMessageMoveTasks"): ["SourceArn="],
    ("ssm", "document", "documentname", "(Describe|Modify)DocumentPermission|ListDocument(MetadataHistory|Versions)|"
     "UpdateDocument(DefaultVersion|Metadata)|(Create|Update)Association|UpdateAssociationStatus"): ["Name"],
    ("ssm", "document", "documentname", "CreateAssociationBatch"): ["Entries[].Name"],
    ("ssm", "document", "documentname", "GetCalendarState"): ["CalendarNames"],
    ("ssm", "maintenancewindow", "resourceid", "(?!.*TagsT|.*TagsF).*"): ["WindowId"],
    ("ssm", "patchbaseline", "patchbaselineidresourceid", "(?!.*TagsT|.*TagsF).*"): ["BaselineId"],
    ("ssm", "servicesetting", "resourceid", ANY): ["SettingId"],
    ("states", "statemachine", "statemachinename", "DeleteStateMachineVersion"): ["stateMachineVersionArn="],
    ("states", "statemachine", "statemachinename", "(Delete|Describe|Update)StateMachineAlias"): ["stateMachineAliasArn="],
    ("states", "statemachine", "statemachinename", "CreateStateMachineAlias"):
        ["routingConfiguration[].stateMachineVersionArn="],
    ("states", "execution", "executionid", ANY): ["executionArn="],
    ("states", "express", "expressid", ANY): ["executionArn="],
    ("xray", "sampling-rule", "samplingrulename", "CreateSamplingRule"): ["SamplingRule.RuleName"],
    ("xray", "sampling-rule", "samplingrulename", "DeleteSamplingRule"): ["RuleName", "RuleARN="],
    ("xray", "sampling-rule", "samplingrulename", "UpdateSamplingRule"):
        ["SamplingRuleUpdate.RuleName", "SamplingRuleUpdate.RuleARN="],
}


class Given:
    """The table, and which of its entries have met a member."""

    def __init__(self):
        self.used = set()

    def members(self, model, prefix, operation, kind, variable, last):
        """`(path, whole, default)` of the members that the table names and the operation has; `None` for no entry."""
        found, named = [], False
        for key, paths in GIVEN.items():
            (its_prefix, kinds, its_variable, operations) = key
            meant = its_variable != ANY or last
            texts = [(kinds, kind), (its_variable, variable), (operations, operation)]
            if its_prefix != prefix or not meant or not all(re.fullmatch(p, t) for p, t in texts):
                continue
            for path in paths:
                path, _, default = path.partition("?")
                whole = path.endswith("=")
                member = model.nested(model.operations[operation], path.rstrip("="))
                if member:
                    self.used.add((key, path))
                    found.append((member, whole, default))
                    named = True
        return found if named else None

    def refuse_unused(self):
        """Ends the program where an entry names what no operation has."""
        all_of_them = {(key, path.partition("?")[0]) for key, paths in GIVEN.items() for path in paths}
        unused = sorted(all_of_them - self.used)
        if unused:
            raise SystemExit("given.py names what no operation has:\n" + "\n".join(map(str, unused)))
