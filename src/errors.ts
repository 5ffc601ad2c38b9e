/**
 * Every error that one room may hand to another. What an error means to the peer, and how loudly it is logged, follows
 * from its class alone (ARCHITECTURE.md, "Errors"); `code` is stable and listed in the README.
 */
export abstract class GatewayError extends Error {
  /** Stable, upper-case, listed in the README. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The peer broke the rules of RTMP, HTTP or the tunnel. Ends that connection, nobody else's. */
export class ProtocolError extends GatewayError {}

/** The peer asked for more than a limit allows. */
export class LimitError extends ProtocolError {}

/** Policy says no: the name is taken, unknown or not allowed. The connection stays usable. */
export class RejectedError extends GatewayError {}

/** The other server refused us. */
export class RemoteError extends GatewayError {}

/** A socket, TLS, HTTP or time-out failure: nobody broke a rule, the way is shut. */
export class TransportError extends GatewayError {}

/** The gateway cannot start, or cannot take a new configuration. The message names the place. */
export class ConfigError extends GatewayError {}

/** Our own code was called wrongly: a bug here, never the peer's fault. */
export class UsageError extends GatewayError {}
