import type { ServiceAbility } from "../abilities.ts";
import { ownRealm } from "../fingerprint.ts";
import type { Provider } from "../provider.ts";
import { isRegistryHost } from "./cloud.ts";

const prism = "Prism with docs/swagger.yaml of Azure/acr-cli, and the examples of Azure/azure-rest-api-specs";
const manager = "the examples of Azure/azure-rest-api-specs, Microsoft.ContainerRegistry 2023-07-01";
const protocol: ServiceAbility = { how: "protocol", tested: "CNCF Distribution 2.8" };
const native = (note: string): ServiceAbility => ({ how: "native", note, tested: prism });
const managed = (note: string): ServiceAbility => ({ how: "native", note, tested: manager });
const impossible = (instead: string): ServiceAbility => ({
  how: "impossible",
  instead,
  tested: "learn.microsoft.com/azure/container-registry",
});

/** Azure Container Registry, in the public cloud, in China and of the US government. */
export const acr: Provider = {
  name: "acr",
  title: "Azure Container Registry",
  hosts: ["NAME.azurecr.io", "NAME.azurecr.cn", "NAME.azurecr.us", "NAME.REGION.geo.azurecr.io"],
  matches: isRegistryHost,
  fingerprints: [{ scheme: "bearer", realm: ownRealm("/oauth2/token"), service: /^HOST$/ }],
  login: { cause: "it takes a login of Azure, for three hours", command: "az acr login --name {registry}" },
  quirks: {
    upload: { whole: true, chunks: true },
    mount: "yes",
    referrers: "api",
    catalog: "by scope",
    deleteTag: "untags",
    deleteDigest: "all tags too",
    immutableTags: { patterns: "names" },
    createOnPush: "yes",
    pages: { tags: 1000, api: 1000 },
    lists: "manifests",
    manifestGet: "free",
    tagOrder: "by name",
    rateHeaders: [],
    tokenSeconds: 3 * 3600,
    lies: [
      {
        status: 403,
        text: /client with IP/,
        means: "the registry's firewall keeps this address out: no login helps",
      },
      {
        status: 401,
        text: /aka\.ms\/acr\/authorization/,
        means: "the login has expired, is of another tenant, or the registry's admin user is switched off",
      },
      { status: 405, text: /UNSUPPORTED|disallowed/, means: "to a push or DELETE: the image or repository is locked" },
      {
        status: 401,
        text: /authentication required/,
        means: "to a push with no login: a registry that lets everybody pull gave a token for nobody",
      },
    ],
  },
  abilities: {
    listRepositories: { ...protocol, note: "names" },
    describeRepository: native("times, numbers and locks"),
    images: native("each manifest with its tags; the size of an index is not explained"),
    search: { how: "client", note: "in the names of the catalog", tested: "CNCF Distribution 2.8" },
    createRepository: impossible("push to it: that makes it"),
    deleteRepository: native("with all its images"),
    deleteTag: native("the image stays"),
    deleteManifests: { ...protocol, note: "one by one", tested: prism },
    immutability: native("the lock of the repository, or the tags with locks of their own"),
    setImmutability: native("a locked repository takes no push at all; single tags by name"),
    lifecycle: managed("the registry's retention of untagged images; with a login of Azure"),
    setLifecycle: managed("for the whole registry, of the tier Premium"),
    deleteLifecycle: managed("switches retention off"),
    previewLifecycle: impossible("list the images that have no tags: `gantry ls -l`"),
    labels: impossible(
      "read the image's own: `gantry inspect`; Azure's tags are the registry's: `az acr show --query tags`",
    ),
    replication: managed("of the tier Premium; with a login of Azure"),
    findings: impossible("ask Defender for Cloud, which scans for Azure: `az graph query`, table securityresources"),
    allowances: managed("storage; with a login of Azure"),
  },
  async credentials(context) {
    const { acrCredentials } = await import("./credentials.ts");
    return acrCredentials(context);
  },
  async connect(context) {
    const { connectAcr } = await import("./connect.ts");
    return connectAcr(acr, context);
  },
};
