import type { Challenge } from "../auth/challenge.ts";

/** A registry service, and what it takes for a login; `{registry}` in the command stands for its host. */
export interface Service {
  readonly name: string;
  readonly login?: { readonly cause: string; readonly command?: string };
}

interface Fingerprint extends Service {
  readonly scheme: "basic" | "bearer";
  /** `HOST` in it stands for the registry's own host. */
  readonly realm: RegExp;
  readonly service?: RegExp;
}

const own = (path: string): RegExp => new RegExp(`^https?://HOST${path}$`);

/** What services send for a challenge: the first that fits names the service. */
const fingerprints: readonly Fingerprint[] = [
  {
    name: "Docker Hub",
    scheme: "bearer",
    realm: /^https:\/\/auth\.docker\.io\/token$/,
    login: {
      cause: "it takes the user name and a personal access token, or the password where two-factor login is off",
    },
  },
  {
    name: "Amazon ECR",
    scheme: "basic",
    realm: own("/"),
    service: /^ecr\.amazonaws\.com$/,
    login: {
      cause: "it takes the user AWS and a password that is good for 12 hours",
      command: "aws ecr get-login-password | gantry login --username AWS --password-stdin {registry}",
    },
  },
  {
    name: "Amazon ECR Public",
    scheme: "bearer",
    realm: /^https:\/\/public\.ecr\.aws\/token$/,
    login: {
      cause: "it takes the user AWS and a password of us-east-1",
      command:
        "aws ecr-public get-login-password --region us-east-1 | gantry login --username AWS --password-stdin {registry}",
    },
  },
  {
    name: "GitHub Packages",
    scheme: "bearer",
    realm: /^https:\/\/ghcr\.io\/token$|^https:\/\/containers\.[\w.-]+\/token$/,
    login: { cause: "it takes a classic token with read:packages, or the GITHUB_TOKEN of a workflow, for a password" },
  },
  {
    name: "Azure Container Registry",
    scheme: "bearer",
    realm: own("/oauth2/token"),
    service: /^HOST$/,
    login: { cause: "it takes a login of Azure, for three hours", command: "az acr login --name {registry}" },
  },
  {
    name: "Google Artifact Registry",
    scheme: "bearer",
    realm: own("/v2/token"),
    service: /(?:^|\.)gcr\.io$|-docker\.pkg\.dev$/,
    login: {
      cause: "it takes the user oauth2accesstoken and an access token, for an hour",
      command: "gcloud auth print-access-token | gantry login --username oauth2accesstoken --password-stdin {registry}",
    },
  },
  {
    name: "GitLab",
    scheme: "bearer",
    realm: /\/jwt\/auth$/,
    service: /^container_registry$/,
    login: { cause: "it takes a token with read_registry for a password; with two-factor login nothing else" },
  },
  { name: "Forgejo or Gitea", scheme: "bearer", realm: /\/v2\/token$/, service: /^container_registry$/ },
  {
    name: "Harbor",
    scheme: "bearer",
    realm: /\/service\/token$/,
    service: /^harbor-registry$/,
    login: { cause: "it takes a robot, or a user; who comes in through OIDC, with the CLI secret of the profile page" },
  },
  {
    name: "Quay",
    scheme: "bearer",
    realm: own("/v2/auth"),
    service: /^HOST$/,
    login: { cause: "it takes a robot (NAMESPACE+NAME), or a user with an encrypted password" },
  },
  { name: "Artifactory", scheme: "basic", realm: /^Artifactory Realm$/ },
];

/** The service that sends these challenges for itself as `host`; undefined where they are nobody's in particular. */
export function identify(host: string, challenges: readonly Challenge[]): Service | undefined {
  const here = (text: string | undefined): string => (text ?? "").replace(host, "HOST");
  return fingerprints.find(({ scheme, realm, service }) =>
    challenges.some(
      (challenge) =>
        challenge.scheme === scheme &&
        fits(realm, challenge.params.get("realm"), here) &&
        (service === undefined || fits(service, challenge.params.get("service"), here)),
    ),
  );
}

/** Whether a pattern fits a text, as it is or with the host's name taken out. */
function fits(pattern: RegExp, text: string | undefined, here: (text: string | undefined) => string): boolean {
  return pattern.test(text ?? "") || pattern.test(here(text));
}
