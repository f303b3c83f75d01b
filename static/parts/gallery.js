// Pictures of a lot, full screen on demand; a drawing where there are none.
import { html } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { useRef, useState } from "../vendor/hooks.mjs";
import { Drawing } from "./drawing.js";

export function Gallery({ lot }) {
  const pictures = lot.announcement?.documents.filter(({ kind }) => kind === "picture") ?? [];
  if (!pictures.length) {
    return html`<figure class="placeholder"><${Drawing} kind=${lot.kind} title=${lot.title} /><figcaption>${t("picture.none")}</figcaption></figure>`;
  }
  return html`<${Pictures} pictures=${pictures} />`;
}

function Pictures({ pictures }) {
  const [at, setAt] = useState(0);
  const dialog = useRef(null);
  const move = (step) => setAt((at + step + pictures.length) % pictures.length);
  const onKeyDown = (event) => {
    if (event.key === "ArrowRight") move(1);
    if (event.key === "ArrowLeft") move(-1);
  };
  const picture = pictures[at];
  const image = html`<img src=${`/api/documents/${picture.id}`} alt=${t("picture.alt", { n: at + 1, name: picture.name })} />`;
  return html`
    <div class="gallery" onKeyDown=${onKeyDown}>
      <button type="button" class="gallery-main" aria-label=${t("picture.enlarge")} onClick=${() => dialog.current.showModal()}>${image}</button>
      ${pictures.length > 1 && html`
        <ul class="gallery-strip">${pictures.map(({ id, name }, index) => html`
          <li key=${id}><button type="button" aria-label=${t("picture.show", { n: index + 1 })} aria-current=${index === at ? "true" : undefined} onClick=${() => setAt(index)}>
            <img src=${`/api/documents/${id}`} alt="" title=${name} loading="lazy" />
          </button></li>`)}</ul>`}
      <dialog class="gallery-full" ref=${dialog} onKeyDown=${onKeyDown} aria-label=${picture.name}>
        ${image}
        <div class="gallery-tools">
          ${pictures.length > 1 && html`<button type="button" onClick=${() => move(-1)}>${t("picture.previous")}</button><button type="button" onClick=${() => move(1)}>${t("picture.next")}</button>`}
          <button type="button" onClick=${() => dialog.current.close()}>${t("dialog.close")}</button>
        </div>
      </dialog>
    </div>`;
}
