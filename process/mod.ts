/** What every process of the platform has: listening, settings, logging, start and stop. */
export { Batch, type Implementation } from "./calls/batch.ts";
export { accessLog } from "./calls/access_log.ts";
export type { CallActivity } from "./calls/call_activity.ts";
export { codeName } from "./calls/code_name.ts";
export {
  callerOf,
  identified,
  identify,
  type Identity,
  identityOf,
  SOURCE,
} from "./calls/identify.ts";
export { PEER_CERTIFICATE, type PeerCertificate } from "./calls/peer_certificate.ts";
export { type Call, intercept, type Interceptor, type Next } from "./calls/interceptor.ts";
export { type Address, formatAddress, isLoopback } from "./address.ts";
export { type AuditLogSettings, openAuditLog } from "./audit_log.ts";
export { type ChartSettings, NO_CHARTS } from "./charts.ts";
export { clusterNames, type ClusterSettings } from "./clusters.ts";
export { type Component, Components, type Readiness } from "./components.ts";
export {
  DATA_FLAGS,
  dataOf,
  type DataSettings,
  ENCRYPTION_KEY_FILE,
  withData,
} from "./data_flags.ts";
export { freePort } from "./free_port.ts";
export {
  type HttpConnection,
  type HttpHandler,
  httpServer,
  serveHttp,
} from "./http/http_connection.ts";
export { tlsListener } from "./http/tls_listener.ts";
export {
  type Arrival,
  type HttpTransport,
  plainListener,
  type WebListener,
} from "./http/web_listener.ts";
export { listen, listenError } from "./listen.ts";
export { jsonLine } from "./logging/format_line.ts";
export { LOG_FIELDS, type LogField } from "./logging/log_fields.ts";
export { LOG_FLAGS, loggingOf, withLogging } from "./logging/log_flags.ts";
export { LOG_CATEGORIES, LOG_LEVELS } from "./logging/log_levels.ts";
export {
  frequentLog,
  type LogSettings,
  lostLogLines,
  resetLogging,
  setLogging,
} from "./logging/logging.ts";
export { makeDataDir } from "./make_data_dir.ts";
export {
  PROVIDER_FLAGS,
  providerOf,
  type ProviderSettings,
  withProvider,
} from "./provider_flags.ts";
export { assertPermitted } from "./permissions.ts";
export { FLAGS_IN_ENVIRONMENT, readFlags } from "./read_flags.ts";
export { runProcess } from "./run_process.ts";
export * from "./settings.ts";
export { afterDelay } from "./after_delay.ts";
export { systemClock } from "./system_clock.ts";
export { systemIds } from "./system_ids.ts";
export {
  CERTIFICATE_ISSUE,
  DEFAULT_NAMESPACE,
  hasWholeCertificate,
  TEMPORAL_ENVIRONMENT,
  TEMPORAL_FLAGS,
  type TemporalAddress,
  temporalTarget,
  withTemporal,
} from "./temporal_flags.ts";
export { CertificateFiles } from "./tls/certificate_files.ts";
export { type Certificates, certificatesOf } from "./tls/certificates.ts";
export { TlsTerminator } from "./tls/tls_terminator.ts";
export { TLS_FLAGS, tlsIssue, tlsOf, type TlsSettings, withTls } from "./tls/tls_flags.ts";
export * from "./tracing.ts";
export { VERSION } from "./version.ts";
export { WatchedFile, type WatchedFileKind } from "./watched_file.ts";
export { parseYamlFile, type YamlFileKind } from "./yaml_file.ts";
