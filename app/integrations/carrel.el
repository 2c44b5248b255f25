;;; carrel.el --- Pick passages of your notes  -*- lexical-binding: t -*-

;; M-x carrel-pick asks for a query, lets you pick in a terminal buffer, and visits what you picked at its line.
;; Save it where Emacs looks:  carrel init emacs > ~/.emacs.d/lisp/carrel.el
;; In your init file:  (require 'carrel)  (global-set-key (kbd "C-c k") #'carrel-pick)

;;; Code:

(require 'json)
(require 'term)

(defun carrel--visit (file)
  "Visit the places that the picker has written to FILE as JSON."
  (when (> (file-attribute-size (file-attributes file)) 0)
    (dolist (row (append (alist-get 'picked (json-read-file file)) nil))
      (find-file (alist-get 'path row))
      (goto-char (point-min))
      (forward-line (1- (or (alist-get 'line_start row) 1)))))
  (delete-file file))

;;;###autoload
(defun carrel-pick (query)
  "Pick passages of your notes, beginning with QUERY, and visit them."
  (interactive "sSearch your notes: ")
  (let* ((file (make-temp-file "carrel"))
         (words (unless (string= query "") (list "--" query)))
         (before (current-window-configuration))
         (buffer (apply #'make-term "carrel" "carrel" nil "pick" "--multi" "--json" "--output" file words)))
    (switch-to-buffer buffer)
    (term-char-mode)
    (set-process-sentinel
     (get-buffer-process buffer)
     (lambda (process _event)
       (unless (process-live-p process)
         (set-window-configuration before)
         (kill-buffer buffer)
         (carrel--visit file))))))

(provide 'carrel)
;;; carrel.el ends here
