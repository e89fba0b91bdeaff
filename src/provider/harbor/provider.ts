import { isObject } from "../../oci/descriptor.ts";
import type { ServiceAbility } from "../abilities.ts";
import type { Provider } from "../provider.ts";

const tested = "Prism on goharbor/harbor's api/v2.0/swagger.yaml, and exchanges written after its source";
const native: ServiceAbility = { how: "native", tested };

/** Harbor, on whatever host: known by its challenge, by an answer of its API, or because the user says so. */
export const harbor: Provider = {
  name: "harbor",
  title: "Harbor",
  hosts: [],
  matches: () => false,
  fingerprints: [{ scheme: "bearer", realm: /\/service\/token$/, service: /^harbor-registry$/ }],
  probe: {
    path: "/api/v2.0/systeminfo",
    fits: ({ status, body }) => status === 200 && isObject(body) && typeof body["auth_mode"] === "string",
  },
  login: {
    cause: "it takes a robot, or a user; who comes in through OIDC, with the CLI secret of the profile page",
  },
  quirks: {
    upload: { whole: true, chunks: true },
    mount: "yes",
    referrers: "api",
    catalog: "administrators",
    deleteTag: "refused",
    deleteDigest: "all tags too",
    immutableTags: { patterns: "doublestar" },
    createOnPush: "in a project",
    pages: { tags: 1000, api: 100 },
    lists: "images",
    manifestGet: "recorded",
    tagOrder: "by name",
    rateHeaders: [],
    tokenSeconds: 1800,
    lies: [
      { status: 401, text: /UNAUTHORIZED/, means: "also that the project is not there, to who is not logged in" },
      { status: 403, text: /FORBIDDEN/, means: "also that the project is not there, to who is no administrator" },
      {
        status: 403,
        text: /exceed the configured upper limit/,
        means: "the project's quota is used up, until garbage collection has run",
      },
      { status: 404, text: /NOT_FOUND/, means: "to a mount: the project that it is from is not there" },
      { status: 400, text: /UNSUPPORTED/, means: "to a DELETE of a tag: it deletes by digest only" },
      { status: 412, text: /configured as immutable/, means: "a tag immutability rule of the project holds the tag" },
      {
        status: 412,
        text: /PROJECTPOLICYVIOLATION/,
        means: "the project forbids pulls of images that are vulnerable or not signed",
      },
    ],
  },
  abilities: {
    listRepositories: { ...native, note: "those that the login may see; of Harbor 2.3 and later" },
    describeRepository: native,
    images: { ...native, note: "100 to a page; times of push and pull, platforms, what is attached" },
    search: { ...native, note: "in the names of repositories" },
    createRepository: { ...native, note: "makes the project, private; the repository comes with its first push" },
    deleteRepository: native,
    deleteTag: native,
    deleteManifests: { ...native, note: "not those that an index has" },
    immutability: { ...native, note: "the rules of the project that are for the repository" },
    setImmutability: { ...native, note: "by rules for the repository, or for a whole project" },
    lifecycle: { ...native, note: "tag retention, one policy for a project" },
    setLifecycle: { ...native, note: "for the whole project" },
    deleteLifecycle: { ...native, note: "for the whole project" },
    previewLifecycle: { ...native, note: "a dry run of the policy that is set" },
    labels: {
      how: "impossible",
      instead: "Harbor's labels are on images and in its own pages; an image's own: `gantry inspect`",
      tested,
    },
    replication: { ...native, note: "system administrators only" },
    findings: { ...native, note: "of the project's scanner" },
    allowances: { ...native, note: "storage of projects" },
  },
  connect: async (context) => (await import("./service.ts")).harborService(harbor, context),
};
