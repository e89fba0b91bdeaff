import type { Abilities, ServiceAbility } from "../abilities.ts";
import { ownRealm } from "../fingerprint.ts";
import type { Provider } from "../provider.ts";
import { parseEcrHost } from "./host.ts";

const moto = "moto 5";
const model = "botocore's service model of ECR";
/** For what moto lacks: pages, archived images and subjects, indexes that hold their children, findings of Inspector. */
const both = `${moto}, and what it lacks against ${model}`;
const native: ServiceAbility = { how: "native", tested: moto };
const withoutAws = "by the distribution API where there is no AWS login";

const abilities: Abilities = {
  listRepositories: { ...native, note: withoutAws, tested: both },
  describeRepository: { ...native, note: withoutAws },
  images: { ...native, note: `the archive's too; an index counts as its largest child; ${withoutAws}`, tested: both },
  search: { how: "client", note: "in the names of all repositories", tested: moto },
  createRepository: native,
  deleteRepository: native,
  deleteTag: { ...native, note: "an image goes with its last tag" },
  deleteManifests: { ...native, note: "a hundred with each request; what an index has only after it", tested: both },
  immutability: native,
  setImmutability: { ...native, note: "up to five exceptions with *" },
  lifecycle: native,
  setLifecycle: native,
  deleteLifecycle: native,
  previewLifecycle: { how: "native", note: "worked out by AWS, in some seconds to minutes", tested: model },
  labels: native,
  replication: { ...native, note: "of the login's own account" },
  findings: { ...native, note: "of basic and enhanced scanning", tested: both },
  allowances: {
    how: "impossible",
    instead: "see the quotas of the account: `aws service-quotas list-service-quotas --service-code ecr`",
    tested: model,
  },
};

/** Amazon's private registries: one for each account and region. */
export const ecr: Provider = {
  name: "ecr",
  title: "Amazon ECR",
  hosts: ["ACCOUNT.dkr.ecr.REGION.amazonaws.com", "ACCOUNT.dkr-ecr.REGION.on.aws"],
  matches: (host) => parseEcrHost(host) !== undefined,
  fingerprints: [{ scheme: "basic", realm: ownRealm("/"), service: /^ecr\.amazonaws\.com$/ }],
  login: {
    cause: "it takes the user AWS and a password that is good for 12 hours",
    command: "aws ecr get-login-password --region REGION | gantry login --username AWS --password-stdin {registry}",
  },
  quirks: {
    upload: { whole: true, chunks: true, largestLayer: 52_000 * 1024 * 1024 },
    mount: "setting",
    referrers: "api",
    catalog: "by scope",
    deleteTag: "differs",
    lastTag: "takes the image along",
    deleteDigest: "all tags too",
    immutableTags: { patterns: "wildcard", most: 5, stars: 2 },
    createOnPush: "setting",
    pages: { tags: 1000, api: 1000 },
    lists: "manifests",
    manifestGet: "recorded",
    tagOrder: "none",
    rateHeaders: [],
    tokenSeconds: 12 * 60 * 60,
    lies: [
      {
        status: 403,
        text: /authorization token has expired/i,
        means: "the login is older than 12 hours: nothing is forbidden, a new one is needed",
      },
      {
        status: 404,
        text: /repository with name .* does not exist/i,
        means: "to a push: it does not make repositories; or the host names another region or account than was meant",
      },
      { status: 405, text: /less than or equal to 1000/, means: "pages have at most 1000 entries" },
      { status: 400, text: /tag is immutable|ImageTagAlreadyExists/i, means: "tags of the repository are immutable" },
    ],
  },
  abilities,
  credentials: async (context) => {
    const { findEcrLogin } = await import("./api.ts");
    return { name: "AWS", find: (host, _path, signal) => findEcrLogin(context, host, signal) };
  },
  connect: async (context) => {
    const { connectEcr } = await import("./connect.ts");
    return connectEcr(ecr, context);
  },
};
