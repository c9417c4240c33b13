//! The refusals of files given by people.

crate::problem_codes! {
    ATTACHMENT_REFUSED = "attachment_refused", 422, "Fichier non admis",
        "Un fichier n'est pas une pièce qui puisse être gardée ; rien n'est gardé. `errors` nomme le fichier (`file/0`, \
         `file/1`…), la raison (`code`) et ce qu'il faut faire (`message`) : enregistrer en PDF un document Word, exporter en \
         JPEG une photo HEIC, renvoyer l'original d'un fichier coupé.";
    ATTACHMENT_INFECTED = "attachment_infected", 422, "Fichier refusé par l'antivirus",
        "L'antivirus de la maison a refusé un des fichiers ; rien n'en est gardé, et le refus est au journal. Ne pas le \
         renvoyer tel quel : imprimer le document en PDF, ou le numériser de nouveau.";
    ATTACHMENT_READER_BUSY = "attachment_reader_busy", 503, "Examen des fichiers occupé",
        "Autant de fichiers qu'il est permis (`config` : attachments.at_once) sont en cours d'examen ; rien n'est fait : \
         renvoyer la pièce après `Retry-After` secondes.";
    SCAN_FAILED = "scan_failed", 503, "Antivirus sans réponse",
        "L'antivirus de la maison n'a pas répondu, ou pas à temps ; rien n'est gardé : renvoyer la pièce après `Retry-After` \
         secondes. L'administrateur en trouve la cause au journal technique.";
}
