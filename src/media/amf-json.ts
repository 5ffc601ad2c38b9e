import { AmfObject, AmfXml, type AmfValue } from '../protocol/index.ts';

/** AMF values as JSON: dates as ISO 8601, byte arrays in base64, what JSON cannot say as null. */
export function amfJson(value: AmfValue): string {
  return JSON.stringify(jsonable(value));
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

function jsonable(value: AmfValue): Json {
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) return value.map(jsonable);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (Buffer.isBuffer(value)) return value.toString('base64');
  if (value instanceof AmfXml) return value.text;
  // From entries: a peer's key "__proto__" becomes a property like any other.
  if (value instanceof AmfObject) return Object.fromEntries([...value].map(([key, one]) => [key, jsonable(one)]));
  return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}
