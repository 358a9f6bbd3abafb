// a picture opens in its own size, which a phone has no room for
document.addEventListener("DOMContentLoaded", () => {
  for (const picture of document.querySelectorAll("article img:not(a img)")) {
    const link = document.createElement("a");
    link.href = picture.src;
    picture.replaceWith(link);
    link.append(picture);
  }
});
