"""The IAM actions of ECR: those that a pull needs, that describe images, and that change a registry. Pure.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
"""

PULL = (
    "ecr:BatchCheckLayerAvailability",  # HEAD of a blob
    "ecr:BatchGetImage",  # GET and HEAD of a manifest; also ListImageReferrers, see its API reference
    "ecr:GetDownloadUrlForLayer",  # GET of a blob
    "ecr:ListImages",  # tags/list
)
"""Everything that a pull through the proxy needs, each with its request."""

PULL_BY_NAME = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
"""Everything that a node needs to pull an image by tag or digest."""

DESCRIBE = ("ecr:DescribeImages",)
"""Which images exist: no pull."""

CATALOGUE = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
"""Manifests, and the configurations that have the platform and the labels of an image."""

LIST_REPOSITORIES = ("ecr:DescribeRepositories",)

EXAMINE = (
    "ecr:DescribeImageReplicationStatus",
    "ecr:DescribeRegistry",
    "ecr:GetLifecyclePolicy",
    "ecr:ListPullTimeUpdateExclusions",
)
"""What the doctor reads of the rules by which images are replicated and expire."""

READ_CACHE_RULES = ("ecr:DescribePullThroughCacheRules", "ecr:DescribeRepositoryCreationTemplates")
"""What `frontdoor check` reads of the rules of mirrors."""

IMPORT = ("ecr:BatchImportUpstreamImage", "ecr:CreateRepository")
"""What a pull needs that makes ECR import an image by a pull-through cache rule; the second for a new repository.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-iam.html
"""

WRITE = (
    "ecr:BatchDeleteImage",
    "ecr:BatchImportUpstreamImage",
    "ecr:CompleteLayerUpload",
    "ecr:CreatePullThroughCacheRule",
    "ecr:CreateRepository",
    "ecr:CreateRepositoryCreationTemplate",
    "ecr:DeleteLifecyclePolicy",
    "ecr:DeletePullThroughCacheRule",
    "ecr:DeleteRegistryPolicy",
    "ecr:DeleteRepository",
    "ecr:DeleteRepositoryCreationTemplate",
    "ecr:DeleteRepositoryPolicy",
    "ecr:DeleteSigningConfiguration",
    "ecr:DeregisterPullTimeUpdateExclusion",
    "ecr:InitiateLayerUpload",
    "ecr:PutAccountSetting",
    "ecr:PutImage",
    "ecr:PutImageScanningConfiguration",
    "ecr:PutImageTagMutability",
    "ecr:PutLifecyclePolicy",
    "ecr:PutRegistryPolicy",
    "ecr:PutRegistryScanningConfiguration",
    "ecr:PutReplicationConfiguration",
    "ecr:PutSigningConfiguration",
    "ecr:RegisterPullTimeUpdateExclusion",
    "ecr:ReplicateImage",
    "ecr:SetRepositoryPolicy",
    "ecr:StartImageScan",
    "ecr:StartLifecyclePolicyPreview",
    "ecr:StartReplicationBackfill",
    "ecr:StopReplicationBackfill",
    "ecr:TagResource",
    "ecr:UntagResource",
    "ecr:UpdateImageStorageClass",
    "ecr:UpdatePullThroughCacheRule",
    "ecr:UpdateRepositoryCreationTemplate",
    "ecr:UploadLayerPart",
)
"""Every action that changes a registry; a test compares the list with the operations in botocore."""
