import type { Environment } from "../../auth/credential.ts";
import { RegistryError } from "../../oci/error.ts";

/** Where an ECR registry is, as its host says. */
export interface EcrPlace {
  /** Twelve digits; unknown where the host is the user's own. */
  readonly account?: string;
  readonly region: string;
  readonly fips: boolean;
  readonly dualStack: boolean;
}

const region = String.raw`(?<region>[a-z]{2,4}(?:-[a-z]+)+-\d{1,2})`;

/** The domains of AWS's partitions: commercial and GovCloud, China, the European sovereign cloud, the secret ones. */
const classic = [
  "amazonaws.com",
  "amazonaws.com.cn",
  "amazonaws.eu",
  "c2s.ic.gov",
  "sc2s.sgov.gov",
  "cloud.adc-e.uk",
  "csp.hci.ic.gov",
];
const dual = [
  "on.aws",
  "on.amazonwebservices.com.cn",
  "on.amazonwebservices.eu",
  "on.aws.ic.gov",
  "on.aws.scloud",
  "on.cloud-aws.adc-e.uk",
  "on.aws.hci.ic.gov",
];

const oneOf = (domains: readonly string[]): string => `(?:${domains.join("|").replaceAll(".", String.raw`\.`)})`;
const form = (name: string, domains: readonly string[]): RegExp =>
  new RegExp(String.raw`^(?<account>\d{12})\.dkr${name}(?<fips>-fips)?\.${region}\.${oneOf(domains)}(?::443)?$`, "i");

const forms: readonly { readonly pattern: RegExp; readonly dualStack: boolean }[] = [
  { pattern: form(String.raw`\.ecr`, classic), dualStack: false },
  { pattern: form("-ecr", dual), dualStack: true },
];

/** Reads a host of ECR, `ACCOUNT.dkr.ecr.REGION.amazonaws.com` and its kin; undefined for all others. */
export function parseEcrHost(host: string): EcrPlace | undefined {
  for (const { pattern, dualStack } of forms) {
    const found = pattern.exec(host)?.groups;
    if (!found) continue;
    const { account, region, fips } = found as { account: string; region: string; fips?: string };
    return { account, region: region.toLowerCase(), fips: fips !== undefined, dualStack };
  }
  return undefined;
}

/**
 * Where a registry is that the user says is ECR: as its host says, or in the region of AWS_REGION where it stands behind
 * a name of the user's own. The variables never move a registry whose host names the region. Throws INVALID.
 */
export function ecrPlace(host: string, env: Environment): EcrPlace {
  const place = parseEcrHost(host);
  const isOn = (name: string): boolean => env[name]?.toLowerCase() === "true";
  const region = place?.region ?? (env["AWS_REGION"] || env["AWS_DEFAULT_REGION"]);
  if (region === undefined) {
    throw new RegistryError("INVALID", `nothing says in which region of AWS ${host} is`, {
      host,
      hint: "set AWS_REGION",
    });
  }
  return {
    ...(place?.account !== undefined && { account: place.account }),
    region,
    fips: (place?.fips ?? false) || isOn("AWS_USE_FIPS_ENDPOINT"),
    dualStack: (place?.dualStack ?? false) || isOn("AWS_USE_DUALSTACK_ENDPOINT"),
  };
}
