package pdfa

import (
	"regexp"
	"slices"
	"strings"
)

// predefined finds the type of a property of the predefined schemas of XMP (specification of 2004 for part 1, of 2005 for the later ones).
// Of some schemas every property is taken, of type "".
//
// Types: T text, I integer, N number, B boolean, D date, R rational number, S structure, L text in several languages; before them b, s or a for a
// bag, sequence or choice of them.
func predefined(p *property, part int) (kind string, known bool) {
	names := ""
	switch p.ns {
	case nsDC:
		names = " contributor:bT coverage:T creator:sT date:sD description:L format:T identifier:T language:bT publisher:bT relation:bT rights:L" +
			" source:T subject:bT title:L type:bT "
	case nsXMP:
		names = " Advisory:bT BaseURL:T CreateDate:D CreatorTool:T Identifier:bT MetadataDate:D ModifyDate:D Nickname:T Thumbnails:aS "
		if part > 1 {
			names += "Label:T Rating:N "
		}
	case nsPDF:
		names = " Keywords:T PDFVersion:T Producer:T "
	case nsID:
		names = " part:I amd:T conformance:T "
		if part > 1 {
			names += "corr:T "
		}
	case "http://ns.adobe.com/xap/1.0/mm/":
		names = " DerivedFrom:S DocumentID:T History:sS InstanceID:T ManagedFrom:S Manager:T ManageTo:T ManageUI:T ManagerVariant:T RenditionClass:T" +
			" RenditionParams:T VersionID:T Versions:sS LastURL:T RenditionOf:S SaveID:I "
	case "http://ns.adobe.com/xap/1.0/rights/":
		names = " Certificate:T Marked:B Owner:bT UsageTerms:L WebStatement:T "
	case "http://ns.adobe.com/xap/1.0/bj/":
		names = " JobRef:bS "
	case "http://ns.adobe.com/xap/1.0/t/pg/":
		names = " MaxPageSize:S NPages:I "
		if part > 1 {
			names += "Fonts:bS Colorants:sS PlateNames:sT "
		}
	case "http://ns.adobe.com/photoshop/1.0/":
		names = photoshop + "SupplementalCategories:T "
		if part > 1 {
			names = photoshop + "SupplementalCategories:bT "
		}
	case "http://ns.adobe.com/tiff/1.0/":
		names = tiff
	case "http://ns.adobe.com/exif/1.0/":
		names = exif
	case nsExt:
		return "", true
	case "http://ns.adobe.com/xmp/1.0/DynamicMedia/", "http://ns.adobe.com/camera-raw-settings/1.0/", "http://ns.adobe.com/exif/1.0/aux/":
		return "", part > 1
	}
	_, rest, known := strings.Cut(names, " "+p.local+":")
	kind, _, _ = strings.Cut(rest, " ")
	return kind, known
}

const (
	photoshop = " AuthorsPosition:T CaptionWriter:T Category:T City:T Country:T Credit:T DateCreated:D Headline:T Instructions:T Source:T State:T" +
		" TransmissionReference:T Urgency:I "
	tiff = " ImageWidth:I ImageLength:I BitsPerSample:sI Compression:I PhotometricInterpretation:I Orientation:I SamplesPerPixel:I" +
		" PlanarConfiguration:I YCbCrSubSampling:sI YCbCrPositioning:I XResolution:R YResolution:R ResolutionUnit:I TransferFunction:sI" +
		" WhitePoint:sR PrimaryChromaticities:sR YCbCrCoefficients:sR ReferenceBlackWhite:sR DateTime:D ImageDescription:L Make:T Model:T" +
		" Software:T Artist:T Copyright:L "
	exif = " ExifVersion:T FlashpixVersion:T ColorSpace:I ComponentsConfiguration:sI CompressedBitsPerPixel:R PixelXDimension:I PixelYDimension:I" +
		" UserComment:L MakerNote:T RelatedSoundFile:T DateTimeOriginal:D DateTimeDigitized:D ExposureTime:R FNumber:R ExposureProgram:I SpectralSensitivity:T" +
		" ISOSpeedRatings:sI OECF:S ShutterSpeedValue:R ApertureValue:R BrightnessValue:R ExposureBiasValue:R MaxApertureValue:R SubjectDistance:R" +
		" MeteringMode:I LightSource:I Flash:S FocalLength:R SubjectArea:sI FlashEnergy:R SpatialFrequencyResponse:S FocalPlaneXResolution:R" +
		" FocalPlaneYResolution:R FocalPlaneResolutionUnit:I SubjectLocation:sI ExposureIndex:R SensingMethod:I FileSource:I SceneType:I" +
		" CFAPattern:S CustomRendered:I ExposureMode:I WhiteBalance:I DigitalZoomRatio:R FocalLengthIn35mmFilm:I SceneCaptureType:I" +
		" GainControl:I Contrast:I Saturation:I Sharpness:I DeviceSettingDescription:S SubjectDistanceRange:I ImageUniqueID:T GPSVersionID:T" +
		" GPSLatitude:T GPSLongitude:T GPSAltitudeRef:I GPSAltitude:R GPSTimeStamp:D GPSSatellites:T GPSStatus:T GPSMeasureMode:I GPSDOP:R" +
		" GPSSpeedRef:T GPSSpeed:R GPSTrackRef:T GPSTrack:R GPSImgDirectionRef:T GPSImgDirection:R GPSMapDatum:T GPSDestLatitude:T" +
		" GPSDestLongitude:T GPSDestBearingRef:T GPSDestBearing:R GPSDestDistanceRef:T GPSDestDistance:R GPSProcessingMethod:T" +
		" GPSAreaInformation:T GPSDifferential:I "
)

// isKind tells whether a property is of a type.
func isKind(p *property, kind string) bool {
	for _, i := range p.items { // a value with qualifiers
		if i.ns == nsRDF && i.local == "value" {
			p = i
			break
		}
	}
	lists := map[byte]string{'b': "Bag", 's': "Seq", 'a': "Alt"}
	switch {
	case kind == "":
		return true
	case kind == "L":
		return p.list == "Alt" && each(p, "T") && !slices.ContainsFunc(p.items, func(i *property) bool { return i.lang == "" })
	case lists[kind[0]] != "":
		return p.list == lists[kind[0]] && each(p, kind[1:])
	case p.list != "":
		return false
	case kind == "S":
		return strings.TrimSpace(p.value) == ""
	case len(p.items) > 0:
		return false
	}
	return isSimple(p.value, kind)
}

func each(p *property, kind string) bool {
	for _, i := range p.items {
		if !isKind(i, kind) {
			return false
		}
	}
	return true
}

func isSimple(s, kind string) bool {
	switch kind {
	case "I":
		return regexp.MustCompile(`^[+-]?[0-9]+$`).MatchString(s)
	case "N":
		return regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?$`).MatchString(s)
	case "B":
		return s == "True" || s == "False"
	case "R":
		return regexp.MustCompile(`^-?[0-9]+/[0-9]+$`).MatchString(s)
	case "D":
		_, ok := isoDate(s)
		return ok
	}
	return true
}
