// The public surface of the library, written by hand. Stores are in "gantry/store", the registry in "gantry/server",
// plans in "gantry/plan", and what makes them in "gantry/policy".
export {
  makeBundle,
  placesOfBundle,
  placesOfPlan,
  placesOfRules,
  planOfBundle,
  planSyncOffline,
  recordHoldings,
} from "./bundles.ts";
export { createClient, type Client, type ClientOptions, type InventoryCall, type Opened } from "./client.ts";
export type { CopyLocationsOptions, CopyOutcome } from "./copy-locations.ts";
export type { Event } from "./events.ts";
export { knownProviders, type OpenService } from "./services.ts";
export { version } from "./version.ts";
export { watchSync, type WatchingSync, type WatchSyncOptions } from "./watching.ts";
export type { RunReport, WatchEvent } from "./watch/watch.ts";

export { fixedSource, parseUserPassword } from "./auth/flags.ts";
export type { KubernetesSettings } from "./auth/chain.ts";
export type { ConfigLogin, ConfigLogins } from "./auth/config-logins.ts";
export { dockerConfigSource, type DockerConfigOptions } from "./auth/docker-config-source.ts";
export { credentialHelper, type Helper, type HelperOptions } from "./auth/helper.ts";
export { helperLogins, type HelperLogins } from "./auth/helper-logins.ts";
export type { PullSecretSettings } from "./auth/pull-secrets-source.ts";
export {
  firstOf,
  helperLogin,
  userPassword,
  type Credential,
  type CredentialSource,
  type OnWarning,
} from "./auth/credential.ts";
export { Secret } from "./auth/secret.ts";
export { loginFiles, loginStores, type LoginFiles, type LoginStores, type Surroundings } from "./auth/login-files.ts";
export { formatLoginKey, parseLoginKey, type LoginPlace } from "./auth/login-key.ts";
export {
  isSameLogin,
  loginStore,
  type KeptLogin,
  type LoginStore,
  type LoginStoreOptions,
} from "./auth/login-store.ts";
export { traceCredentials, type CredentialTrace, type TriedSource } from "./auth/trace.ts";
export { traceAccess, type AccessTrace, type Wish } from "./auth/trace-access.ts";
export { validateCredential, type Admission, type Validation } from "./auth/validate.ts";

export type { BundledImage, BundleManifest } from "./bundle/manifest.ts";
export { isBundled } from "./bundle/read.ts";
export { formatHoldings, parseHoldings, type Held as HeldRepository, type Holdings } from "./bundle/record.ts";
export type { WriteBundleOptions, WrittenBundle } from "./bundle/write.ts";

export { defaultSettings } from "./config/defaults.ts";
export { formatFault, type Fault } from "./config/fault.ts";
export { flagSetting } from "./config/flag-setting.ts";
export { configJsonSchema } from "./config/json-schema.ts";
export { checkConfig, loadConfig, type Config, type ConfigFindings, type ConfigReport } from "./config/load.ts";
export { configFiles, type ConfigFile, type ConfigPlaces } from "./config/places.ts";
export { readDuration, readSize } from "./config/quantity.ts";
export { configKeys, variableOf, type ConfigKey, type ConfigValues, type SettingKey } from "./config/schema.ts";
export { mergeLevels, type Setting } from "./config/setting.ts";

export type { DiagnoseOptions, DoctorContext, Service as RegistryService } from "./doctor/context.ts";
export { diagnose } from "./doctor/diagnose.ts";
export type { Ability, CheckName, Diagnosis, Verdict } from "./doctor/diagnosis.ts";
export { examine, type Machine } from "./doctor/examine.ts";

export { artifactFile, attach, titleAnnotation, type Artifact, type ArtifactFile } from "./graph/attach.ts";
export { check, type CheckOptions, type CheckResult, type Finding } from "./graph/check.ts";
export { imageConfig, imagePlatform, type ImageConfig, type ImageConfigFile } from "./graph/config.ts";
export {
  copier,
  type Copier,
  type CopyEvent,
  type CopyOptions,
  type CopyResult,
  type Destination,
  type Outcome,
} from "./graph/copy.ts";
export { copyTags } from "./graph/copy-tags.ts";
export { immutableFault } from "./graph/immutable.ts";
export { selectPlatforms } from "./graph/select.ts";
export { namesOf, tagsNeeding, tagsOf, tagTargets } from "./graph/tags.ts";
export { tree, walkTree, type TreeNode } from "./graph/tree.ts";

export type { Gap, Held, Inventory } from "./graph/inventory.ts";
export { needed, subjectOfTag, type Need, type Root } from "./graph/needed.ts";
export { freedBy } from "./graph/usage.ts";
export { usageOf, type ImageUsage, type RepositoryUsage, type SharedLayer, type Usage } from "./graph/usage-of.ts";

export { readCertDirectory } from "./hosts/certs-d.ts";
export { checkKeyPair, parseCertificates, readKeyPair, type KeyPair, type PemFile } from "./hosts/certificates.ts";

export { readInUse, type InUseSources } from "./in-use/read.ts";
export type { InUseFound } from "./in-use/used-image.ts";

export { parseDescriptor, refNameAnnotation, type Descriptor } from "./oci/descriptor.ts";
export {
  algorithmOf,
  digester,
  digestOf,
  hexOf,
  isDigest,
  parseDigest,
  type Digest,
  type Digester,
  type DigestAlgorithm,
} from "./oci/digest.ts";
export {
  isAbsent,
  isRegistryError,
  RegistryError,
  registryCodes,
  type ErrorCode,
  type ErrorDetails,
} from "./oci/error.ts";
export { formatLocation, parseLocation, type LocalTransport, type Location } from "./oci/location.ts";
export {
  buildManifest,
  manifestBody,
  manifestLimit,
  parseManifest,
  type Manifest,
  type ManifestExpectation,
} from "./oci/manifest.ts";
export { isForeignLayer, isImageManifestType, isIndexType, isManifestType, mediaTypes } from "./oci/media-types.ts";
export {
  choosePlatform,
  formatPlatform,
  hostPlatform,
  isPlatform,
  normalizePlatform,
  parsePlatform,
  type Platform,
} from "./oci/platform.ts";
export {
  apiHost,
  familiarReference,
  formatReference,
  isDigestTag,
  isLoopback,
  isRepository,
  isTag,
  parseReference,
  type Reference,
} from "./oci/reference.ts";
export { maskUserinfo } from "./oci/userinfo.ts";
export { collect, contentOf, streamOf, verified, type ByteStream, type Content } from "./oci/stream.ts";

export type { Ending } from "./plan/act.ts";
export type { Applied, ApplyOptions, Guards, Journal, PlanEvent } from "./plan/apply.ts";
export type { InUse } from "./plan/in-use.ts";
export type { Kept, Note, Plan, PlanKind, Step } from "./plan/plan.ts";

export { checkDocument, requireDocument } from "./policy/lifecycle/check.ts";
export { convertLifecycle } from "./policy/lifecycle/convert.ts";
export {
  lifecycleDialects,
  lifecycleForms,
  type LifecycleDialect,
  type LifecycleForm,
} from "./policy/lifecycle/dialects.ts";
export type { DocumentFault, Loss as LifecycleLoss } from "./policy/lifecycle/fault.ts";
export { ecrTerraform, type TerraformOptions } from "./policy/lifecycle/ecr/terraform.ts";
export { guessDialect } from "./policy/lifecycle/guess.ts";
export type {
  Decision as LifecycleDecision,
  LifecycleImage,
  SimulateOptions as LifecycleSimulateOptions,
} from "./policy/lifecycle/images.ts";
export type {
  FormatOptions as LifecycleFormatOptions,
  Formatted as FormattedLifecycle,
} from "./policy/lifecycle/rules.ts";
export { simulateLifecycle } from "./policy/lifecycle/simulate.ts";
export type { Warning as LifecycleWarning } from "./policy/lifecycle/warning.ts";
export { lifecycleWarnings } from "./policy/lifecycle/warnings.ts";
export type { AttachedReceipt } from "./policy/promote/history.ts";
export type { Receipt, Who } from "./policy/promote/receipt.ts";
export { commandGate, type CommandOptions } from "./promotions/command-gate.ts";
export { readHistory, readPromotions, readRollback } from "./promotions/promotions.ts";
export type { PromotionRequest } from "./promotions/read-promotions.ts";
export type { PromotedPlace, RollbackRequest } from "./promotions/read-rollback.ts";
export { formatSyncImport, guessSyncTool, importSync } from "./policy/sync/import/import.ts";
export { syncTools, type SyncTool } from "./policy/sync/import/tools.ts";
export type { ImportLoss, ImportOptions, SyncImport } from "./policy/sync/import/imported.ts";
export type { Mapping, Prune, SyncFile, SyncSettings, TagSet } from "./policy/sync/sync-file.ts";
export type { Abilities, AbilityName, ServiceAbility } from "./provider/abilities.ts";
export { abilityTitles } from "./provider/abilities.ts";
export { describeQuirks } from "./provider/describe.ts";
export { providerNames, type Provider, type ProviderName } from "./provider/provider.ts";
export type { Quirks } from "./provider/quirks.ts";
export type {
  Allowance,
  Deletion,
  Findings,
  ImageInfo,
  Immutability,
  LifecycleMatch,
  LifecyclePolicy,
  ReplicationRule,
  RepositoryInfo,
  SearchQuery,
  SearchResult,
  ServiceRegistry,
  Severity,
  SizeKind,
  Vulnerability,
} from "./provider/service.ts";

export type { Call, Put, Registry, Source, Store } from "./store/store.ts";
export type { PlannedSync, PlanSyncOptions } from "./sync/plan-sync.ts";
export type { TransportEvent } from "./transport/events.ts";
export { mergeSettings, settingsByHost, type HostSettings, type SettingsOf } from "./transport/host-settings.ts";
export { headerFault } from "./transport/header-fault.ts";
export type { Quota } from "./transport/rate-limit.ts";
export {
  compose,
  discard,
  type Method,
  type Middleware,
  type Req,
  type Res,
  type Transport,
} from "./transport/transport.ts";
