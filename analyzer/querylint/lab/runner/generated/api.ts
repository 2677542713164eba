import { anyApi } from "convex/server";

export const api: any = anyApi;
export const internal: any = anyApi;
