/**
 * For those who run the gateway, on a listener of its own that only this machine reaches unless told otherwise. This room
 * owns the API: what relays do, and adding and removing them while everything runs.
 */
export { AdminServer, type AdminDependencies, type AdminOptions } from './app.ts';
