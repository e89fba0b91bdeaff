import type { Abilities, ServiceAbility } from "../abilities.ts";
import type { Provider } from "../provider.ts";

const model = "botocore's service model of ECR Public";
const native: ServiceAbility = { how: "native", tested: model };
const others = "by the distribution API for what is not your own";
const impossible = (instead: string): ServiceAbility => ({ how: "impossible", instead, tested: model });
const lifecycle = impossible("list what is old, and delete it: `gantry ls -l`, `gantry delete`");

const abilities: Abilities = {
  listRepositories: { ...native, note: "your own" },
  describeRepository: { ...native, note: `with the description of its catalog page; ${others}` },
  images: { ...native, note: `an index counts as its largest child; ${others}` },
  search: impossible("search at https://gallery.ecr.aws"),
  createRepository: native,
  deleteRepository: native,
  deleteTag: { ...native, note: "an image goes with its last tag" },
  deleteManifests: { ...native, note: "a hundred with each request; what an index has only after it" },
  immutability: impossible("say in the pipeline that pushes which tags may move"),
  setImmutability: impossible("say in the pipeline that pushes which tags may move"),
  lifecycle,
  setLifecycle: lifecycle,
  deleteLifecycle: impossible("there is none that could delete anything"),
  previewLifecycle: impossible("list what is old: `gantry ls -l`"),
  labels: native,
  replication: impossible("read the rules of the private registry that it is copied from"),
  findings: impossible("scan the image"),
  allowances: impossible("see https://docs.aws.amazon.com/AmazonECR/latest/public/public-service-quotas.html"),
};

const hosts = ["public.ecr.aws", "ecr-public.aws.com"];

/** Amazon's public registry, of all accounts together. */
export const ecrPublic: Provider = {
  name: "ecr-public",
  title: "Amazon ECR Public",
  hosts,
  matches: (host) => hosts.includes(host.toLowerCase().replace(/:443$/, "")),
  fingerprints: [{ scheme: "bearer", realm: /^https:\/\/(?:public\.ecr\.aws|ecr-public\.aws\.com)\/token\/?$/ }],
  login: {
    cause: "it takes the user AWS and a password of us-east-1",
    command:
      "aws ecr-public get-login-password --region us-east-1 | gantry login --username AWS --password-stdin {registry}",
  },
  quirks: {
    upload: { whole: true, chunks: true, largestLayer: 10_000 * 1024 * 1024 },
    mount: "no",
    referrers: "differs",
    catalog: "nobody",
    deleteTag: "differs",
    lastTag: "takes the image along",
    deleteDigest: "all tags too",
    createOnPush: "no",
    pages: { tags: 1000, api: 1000 },
    lists: "manifests",
    manifestGet: "free",
    tagOrder: "none",
    rateHeaders: [],
    tokenSeconds: 12 * 60 * 60,
    lies: [
      {
        status: 400,
        text: /Authorization Token is invalid/i,
        means: "the login was sent as it is, or is of a private registry: it buys a token first",
      },
    ],
  },
  abilities,
  credentials: async (context) => {
    const { findPublicLogin } = await import("./api.ts");
    return { name: "AWS", find: (host, _path, signal) => findPublicLogin(context, host, signal) };
  },
  connect: async (context) => {
    const { connectPublic } = await import("./connect.ts");
    return connectPublic(ecrPublic, context);
  },
};
