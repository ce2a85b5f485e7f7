// Holds a whole chat with the unmodified amazon-connect-chatjs, as a page in a
// browser would: the library sees a window and a WebSocket, and nothing of the
// server but its address.
//
//   ENDPOINT=URL CHAT='{ContactId,ParticipantId,ParticipantToken}' node chat.mjs
//
// It prints what it has seen and ends with status 0 if that is what it should be.
import { createRequire } from "node:module";

const require = createRequire(`${process.env.MODULES}/`);
globalThis.WebSocket = require("ws");
globalThis.window = globalThis;
globalThis.self = globalThis;
globalThis.addEventListener ??= () => {};
globalThis.removeEventListener ??= () => {};
globalThis.document = { addEventListener() {}, visibilityState: "visible" };
const browser = { userAgent: "node", onLine: true, appVersion: "", platform: "" };
Object.defineProperty(globalThis, "navigator", { value: browser, configurable: true, writable: true });
globalThis.location = { protocol: "http:", href: "http://127.0.0.1/", hostname: "127.0.0.1" };
require("amazon-connect-chatjs");

const { ChatSession } = globalThis.connect;
const details = JSON.parse(process.env.CHAT);
const seen = [];
const waiting = [];

function note(what) {
  seen.push(what);
  for (const w of [...waiting]) w();
}

// heard waits for something that is seen, from a place on.
function heard(what, from = 0) {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`nothing of ${JSON.stringify(what)} in ${JSON.stringify(seen)}`)), 10000);
    const look = () => {
      if (seen.indexOf(what, from) < 0) return;
      clearTimeout(limit);
      waiting.splice(waiting.indexOf(look), 1);
      resolve();
    };
    waiting.push(look);
    look();
  });
}

function expect(what, got, want) {
  if (JSON.stringify(got) !== JSON.stringify(want)) {
    throw new Error(`${what}: ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
  }
  console.log(`ok - ${what}`);
}

ChatSession.setGlobalConfig({
  region: "us-east-1",
  endpoint: process.env.ENDPOINT,
  loggerConfig: { useDefaultLogger: false },
  features: { messageReceipts: { shouldSendMessageReceipts: true, throttleTime: 100 } },
});
const session = ChatSession.create({
  chatDetails: { contactId: details.ContactId, participantId: details.ParticipantId, participantToken: details.ParticipantToken },
  options: { region: "us-east-1" },
  type: ChatSession.SessionTypes.CUSTOMER,
  disableCSM: true,
});
session.onConnectionEstablished(() => note("connected"));
session.onConnectionBroken(() => note("broken"));
session.onMessage(({ data }) => note(data.Type === "MESSAGE" ? `${data.ParticipantRole}: ${data.Content}` : `${data.Type} ${data.ContentType}`));
session.onTyping(({ data }) => note(`typing ${data.ParticipantRole}`));
session.onReadReceipt(({ data }) => note(`read ${data.MessageMetadata.MessageId}`));
session.onEnded(() => note("ended"));
session.onDeepHeartbeatSuccess(() => note("deep heartbeat"));

const { connectSuccess } = await session.connect();
expect("connect", connectSuccess, true);
// The library says "connected" twice: once it has its tokens, and once its
// WebSocket is open.
while (seen.filter((s) => s === "connected").length < 2) await new Promise((r) => setTimeout(r, 20));

const sent = await session.sendMessage({ message: "I have a question.", contentType: "text/plain" });
expect("sendMessage", typeof sent.data.Id, "string");
await heard("CUSTOMER: I have a question.");
await heard("SYSTEM: You said something.");
expect("messages both ways", seen.includes("SYSTEM: You said something."), true);

await session.sendEvent({ contentType: "application/vnd.amazonaws.connect.event.typing" });
await heard("typing CUSTOMER");
expect("typing", seen.includes("typing CUSTOMER"), true);

let page = (await session.getTranscript({ maxResults: 100, scanDirection: "BACKWARD", sortOrder: "ASCENDING" })).data;
const say = (i) => (i.Type === "MESSAGE" ? `${i.ParticipantRole}: ${i.Content}` : i.ContentType.split(".").slice(-2).join("."));
expect("transcript", page.Transcript.map(say), [
  "participant.joined", "SYSTEM: Hello!", "CUSTOMER: I have a question.", "SYSTEM: You said something.",
]);
expect("its first contact", page.InitialContactId, details.ContactId);

const greeting = page.Transcript[1].Id;
await session.sendEvent({ contentType: "application/vnd.amazonaws.connect.event.message.read", content: JSON.stringify({ messageId: greeting }) });
page = (await session.getTranscript({ maxResults: 100, sortOrder: "ASCENDING" })).data;
const receipts = page.Transcript[1].MessageMetadata.Receipts;
expect("a read receipt", [receipts.length, receipts[0].RecipientParticipantId, typeof receipts[0].ReadTimestamp], [1, details.ParticipantId, "string"]);

const file = new File(["These are the terms."], "terms.txt", { type: "text/plain" });
await session.sendAttachment({ attachment: file });
await heard("ATTACHMENT text/plain");
page = (await session.getTranscript({ maxResults: 1, sortOrder: "ASCENDING" })).data;
const attachment = page.Transcript[0].Attachments[0];
expect("an attachment", [attachment.AttachmentName, attachment.Status], ["terms.txt", "APPROVED"]);
const download = await session.downloadAttachment({ attachmentId: attachment.AttachmentId });
expect("its content", await download.text(), "These are the terms.");

await session.disconnectParticipant();
await heard("ended");
expect("the end", seen.filter((s) => s === "broken").length, 0);
process.exit(0);
