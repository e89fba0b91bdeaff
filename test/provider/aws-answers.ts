import type { AwsAnswers } from "./aws.ts";

/** A digest of one hexadecimal digit. */
export const sha = (digit: string): `sha256:${string}` => `sha256:${digit.repeat(64)}`;

const index = "application/vnd.oci.image.index.v1+json";
const manifest = "application/vnd.oci.image.manifest.v1+json";

/** A registry of ECR with one repository, which answers all operations that we use; in one page each. */
export const ecrAnswers: AwsAnswers = {
  GetAuthorizationToken: () => ({
    authorizationData: [
      {
        authorizationToken: btoa("AWS:p4ss:word"),
        expiresAt: Date.now() / 1000 + 12 * 3600,
        proxyEndpoint: "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com",
      },
    ],
  }),
  DescribeRepositories: () => ({
    repositories: [
      {
        repositoryArn: "arn:aws:ecr:eu-west-1:123456789012:repository/team/app",
        registryId: "123456789012",
        repositoryName: "team/app",
        repositoryUri: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app",
        createdAt: 1_700_000_000,
        imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "dev-*" }],
      },
    ],
  }),
  DescribeImages: () => ({
    imageDetails: [
      {
        registryId: "123456789012",
        repositoryName: "team/app",
        imageDigest: sha("a"),
        imageTags: ["v1", "latest"],
        imageSizeInBytes: 1234,
        imagePushedAt: 1_700_000_000,
        imageManifestMediaType: index,
        lastRecordedPullTime: 1_700_000_100,
        imageStatus: "ACTIVE",
      },
      {
        imageDigest: sha("b"),
        imageSizeInBytes: 12,
        imageManifestMediaType: manifest,
        artifactMediaType: "application/vnd.example.sbom",
        subjectManifestDigest: sha("a"),
        imageStatus: "ARCHIVED",
        lastArchivedAt: 1_700_000_200,
      },
    ],
  }),
  CreateRepository: () => ({ repository: { repositoryName: "team/app" } }),
  DeleteRepository: () => ({ repository: { repositoryName: "team/app" } }),
  BatchDeleteImage: ({ imageIds }) => ({ imageIds, failures: [] }),
  PutImageTagMutability: ({ imageTagMutability }) => ({ imageTagMutability }),
  GetLifecyclePolicy: () => ({ lifecyclePolicyText: JSON.stringify(lifecycleDocument) }),
  PutLifecyclePolicy: ({ lifecyclePolicyText }) => ({ lifecyclePolicyText }),
  DeleteLifecyclePolicy: () => ({ lifecyclePolicyText: JSON.stringify(lifecycleDocument) }),
  StartLifecyclePolicyPreview: () => ({ status: "IN_PROGRESS" }),
  GetLifecyclePolicyPreview: () => ({
    status: "COMPLETE",
    previewResults: [
      {
        imageTags: [],
        imageDigest: sha("c"),
        imagePushedAt: 1_600_000_000,
        action: { type: "EXPIRE" },
        appliedRulePriority: 1,
      },
      { imageTags: ["old"], imageDigest: sha("d"), action: { type: "TRANSITION" }, appliedRulePriority: 2 },
    ],
  }),
  ListTagsForResource: () => ({ tags: [{ Key: "team", Value: "platform" }] }),
  DescribeRegistry: () => ({
    registryId: "123456789012",
    replicationConfiguration: {
      rules: [
        {
          destinations: [
            { region: "eu-central-1", registryId: "123456789012" },
            { region: "eu-west-1", registryId: "999999999999" },
          ],
          repositoryFilters: [{ filter: "prod/", filterType: "PREFIX_MATCH" }],
        },
      ],
    },
  }),
  DescribeImageScanFindings: () => ({
    imageScanStatus: { status: "ACTIVE", description: "Continuous scan is selected for image." },
    imageScanFindings: {
      findingSeverityCounts: { CRITICAL: 1, INFORMATIONAL: 2, UNTRIAGED: 3, UNDEFINED: 4 },
      enhancedFindings: [
        {
          title: "CVE-2024-1 - openssl",
          severity: "CRITICAL",
          packageVulnerabilityDetails: {
            vulnerabilityId: "CVE-2024-1",
            sourceUrl: "https://example.test/CVE-2024-1",
            vulnerablePackages: [
              { name: "openssl", version: "3.0.1", release: "2", fixedInVersion: "3.0.2" },
              { name: "libssl", version: "3.0.1", fixedInVersion: "NotAvailable" },
            ],
          },
        },
      ],
    },
  }),
};

export const lifecycleDocument = {
  rules: [
    {
      rulePriority: 1,
      description: "old ones without a tag",
      selection: { tagStatus: "untagged", countType: "sinceImagePushed", countUnit: "days", countNumber: 14 },
      action: { type: "expire" },
    },
  ],
};

/** An account with the registry `acme` at ECR Public. */
export const publicAnswers: AwsAnswers = {
  GetAuthorizationToken: () => ({
    authorizationData: { authorizationToken: btoa("AWS:public"), expiresAt: Date.now() / 1000 + 12 * 3600 },
  }),
  DescribeRegistries: () => ({
    registries: [
      {
        registryId: "123456789012",
        registryArn: "arn:aws:ecr-public::123456789012:registry/123456789012",
        registryUri: "public.ecr.aws/acme",
        verified: false,
        aliases: [{ name: "acme", status: "ACTIVE", primaryRegistryAlias: true, defaultRegistryAlias: true }],
      },
    ],
  }),
  DescribeRepositories: () => ({
    repositories: [
      {
        repositoryArn: "arn:aws:ecr-public::123456789012:repository/team/app",
        registryId: "123456789012",
        repositoryName: "team/app",
        repositoryUri: "public.ecr.aws/acme/team/app",
        createdAt: 1_700_000_000,
      },
    ],
  }),
  GetRepositoryCatalogData: () => ({ catalogData: { description: "an app" } }),
  DescribeImages: () => ({
    imageDetails: [
      {
        registryId: "123456789012",
        repositoryName: "team/app",
        imageDigest: sha("a"),
        imageTags: ["v1"],
        imageSizeInBytes: 99,
        imagePushedAt: 1_700_000_000,
        imageManifestMediaType: manifest,
      },
    ],
  }),
  CreateRepository: () => ({ repository: { repositoryName: "team/app" } }),
  DeleteRepository: () => ({ repository: { repositoryName: "team/app" } }),
  BatchDeleteImage: ({ imageIds }) => ({ imageIds, failures: [] }),
  ListTagsForResource: () => ({ tags: [{ Key: "team", Value: "platform" }] }),
};
